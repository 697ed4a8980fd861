-- The statements and calls of an app: the kinds and signatures of its spans of databases and of other services.
CREATE TABLE spans (
    id         BIGINT PRIMARY KEY,
    app_id     TEXT COLLATE "C" NOT NULL REFERENCES apps (id),
    family     TEXT COLLATE "C" NOT NULL,  -- the first part of the kind: 'db' or 'ext'
    kind       TEXT COLLATE "C" NOT NULL,
    signature  TEXT COLLATE "C" NOT NULL,
    seen_on    BIGINT NOT NULL             -- the last day on which it was stored, in days since 1970
);
CREATE INDEX spans_by_app ON spans (app_id);

-- Their time: that of their kind, divided among the signatures. The newest rows are those of a minute.
CREATE TABLE span_sums (
    span_id       BIGINT NOT NULL,
    resolution    BIGINT NOT NULL,
    start         BIGINT NOT NULL,
    count         DOUBLE PRECISION NOT NULL,
    sum_ms        DOUBLE PRECISION NOT NULL,
    estimated_ms  DOUBLE PRECISION NOT NULL,  -- the part of the time that was divided in proportion to samples
    samples       BIGINT NOT NULL,            -- the sampled transactions with the span
    n_plus_one    BIGINT NOT NULL,            -- those of them in which the agent flagged it as N+1
    answered      BIGINT NOT NULL,            -- the observed spans whose success or failure is known
    failed        BIGINT NOT NULL,
    PRIMARY KEY (span_id, resolution, start)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

-- The transactions that they were observed in, by day. The time of a kind is divided in proportion to them.
CREATE TABLE span_callers (
    transaction_id  BIGINT NOT NULL,
    day             BIGINT NOT NULL,          -- in days since 1970
    span_id         BIGINT NOT NULL,
    count           BIGINT NOT NULL,
    sum_ms          DOUBLE PRECISION NOT NULL,
    samples         BIGINT NOT NULL,
    PRIMARY KEY (transaction_id, day, span_id)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX span_callers_by_span ON span_callers (span_id, day);
CREATE INDEX span_callers_by_age ON span_callers (day);
