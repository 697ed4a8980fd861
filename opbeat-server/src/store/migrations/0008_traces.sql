-- Spans whose transaction has not arrived yet. They are kept for an hour.
CREATE TABLE pending_spans (
    id           INTEGER PRIMARY KEY,
    app_id       TEXT NOT NULL REFERENCES apps (id),
    trace_id     BLOB NOT NULL,             -- 16 bytes
    span_id      BLOB NOT NULL,             -- 8 bytes
    received_at  INTEGER NOT NULL,
    document     BLOB NOT NULL,             -- a NewSpan, encoded with postcard
    UNIQUE (app_id, trace_id, span_id)
) STRICT;
CREATE INDEX pending_spans_by_age ON pending_spans (received_at);

-- Transactions whose late spans are still joined, and repeated spans recognised: those of the last hour.
CREATE TABLE joined_transactions (
    id           INTEGER PRIMARY KEY,
    app_id       TEXT NOT NULL REFERENCES apps (id),
    trace_id     BLOB NOT NULL,
    span_id      BLOB NOT NULL,
    received_at  INTEGER NOT NULL,
    document     BLOB NOT NULL,             -- a JoinedTransaction, encoded with postcard
    UNIQUE (app_id, trace_id, span_id)
) STRICT;
CREATE INDEX joined_transactions_by_age ON joined_transactions (received_at);

-- Exceptions of the last hour, so that one that several spans and a log record report counts once.
CREATE TABLE trace_exceptions (
    id           INTEGER PRIMARY KEY,
    app_id       TEXT NOT NULL REFERENCES apps (id),
    trace_id     BLOB NOT NULL,
    exception    BLOB NOT NULL,             -- a hash of its type and message
    span_id      BLOB NOT NULL,
    is_log       INTEGER NOT NULL,          -- whether a log record reported it
    is_paired    INTEGER NOT NULL,          -- whether both a log record and a span reported it
    received_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX trace_exceptions_by_trace ON trace_exceptions (app_id, trace_id, exception);
CREATE INDEX trace_exceptions_by_age ON trace_exceptions (received_at);

-- What happens to telemetry of a service that is no app of the organization: refuse, create or single.
ALTER TABLE organizations ADD COLUMN unknown_services TEXT NOT NULL DEFAULT 'refuse';
