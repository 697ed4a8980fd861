-- The statements and calls of an app: the kinds and signatures of its spans of databases and of other services.
CREATE TABLE spans (
    id         INTEGER PRIMARY KEY,
    app_id     TEXT NOT NULL REFERENCES apps (id),
    family     TEXT NOT NULL,           -- the first part of the kind: 'db' or 'ext'
    kind       TEXT NOT NULL,
    signature  TEXT NOT NULL,
    seen_on    INTEGER NOT NULL         -- the last day on which it was stored, in days since 1970
) STRICT;
-- Its rows are in the order of the ids, so that sums by id need no sorting.
CREATE INDEX spans_by_app ON spans (app_id);

-- Their time: that of their kind, divided among the signatures. The newest rows are those of a minute.
CREATE TABLE span_sums (
    span_id       INTEGER NOT NULL REFERENCES spans (id),
    resolution    INTEGER NOT NULL,
    start         INTEGER NOT NULL,
    count         REAL NOT NULL,
    sum_ms        REAL NOT NULL,
    estimated_ms  REAL NOT NULL,        -- the part of the time that was divided in proportion to samples
    samples       INTEGER NOT NULL,     -- the sampled transactions with the span
    n_plus_one    INTEGER NOT NULL,     -- those of them in which the agent flagged it as N+1
    answered      INTEGER NOT NULL,     -- the observed spans whose success or failure is known
    failed        INTEGER NOT NULL,
    PRIMARY KEY (span_id, resolution, start)
) STRICT, WITHOUT ROWID;

-- The transactions that they were observed in, by day. The time of a kind is divided in proportion to them.
CREATE TABLE span_callers (
    transaction_id  INTEGER NOT NULL REFERENCES transactions (id),
    day             INTEGER NOT NULL,   -- in days since 1970
    span_id         INTEGER NOT NULL REFERENCES spans (id),
    count           INTEGER NOT NULL,
    sum_ms          REAL NOT NULL,
    samples         INTEGER NOT NULL,
    PRIMARY KEY (transaction_id, day, span_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX span_callers_by_span ON span_callers (span_id, day);
CREATE INDEX span_callers_by_age ON span_callers (day);
