-- The schema of PostgreSQL 15 and later, equal to that of SQLite after its migration 0015.
--
-- Times named *_at and *_seen are microseconds since 1970 UTC; `start` is seconds since 1970 UTC.
--
-- Types: integers are BIGINT, as all of SQLite's are. Flags are BIGINT 0 or 1, so that the same code binds, compares
-- and reads them in both databases. Text that is compared or sorted has the collation "C", since SQLite compares bytes.
-- PostgreSQL cannot store the character U+0000 in a text.
--
-- Tables that grow with the traffic are partitioned by time, so that old rows are removed by dropping a table. Their
-- default partitions, made here, take the rows outside of all months. `partitions.rs` makes the partitions of months.
--
-- Foreign keys: a check locks the referenced row and writes to its page, for each inserted row. The rows of an app's
-- traffic refer to one app and to a few transactions and error groups, which all workers would lock at once. The tables
-- that get a row for nearly each message have none: rollups, breakdowns, samples, error_rollups, error_occurrences and
-- the tables of spans. The ids in them come from rows that the same database transaction has created or updated, and no
-- app, transaction or error group is removed. The other tables have the foreign keys of SQLite.

CREATE TABLE organizations (
    id                TEXT COLLATE "C" PRIMARY KEY,      -- 32 hex digits
    short_name        TEXT COLLATE "C" NOT NULL UNIQUE,
    created_at        BIGINT NOT NULL,
    -- What happens to telemetry of a service that is no app of the organization: refuse, create or single.
    unknown_services  TEXT COLLATE "C" NOT NULL DEFAULT 'refuse'
);

-- A few rows, each of which is updated with every new error group and release. Half of each page is free, so that a new
-- version of a row stays in its page, and needs no change of an index. Vacuum starts after some updates, not after a
-- share of the rows, since versions that nobody sees cost more than the rows themselves.
CREATE TABLE apps (
    id                   TEXT COLLATE "C" PRIMARY KEY,   -- 10 hex digits
    organization_id      TEXT COLLATE "C" NOT NULL REFERENCES organizations (id),
    short_name           TEXT COLLATE "C" NOT NULL,
    created_at           BIGINT NOT NULL,
    next_error_number    BIGINT NOT NULL DEFAULT 1,
    next_release_number  BIGINT NOT NULL DEFAULT 1,
    UNIQUE (organization_id, short_name)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Limits of an app; NULL for the server's default.
CREATE TABLE app_settings (
    app_id             TEXT COLLATE "C" PRIMARY KEY REFERENCES apps (id),
    events_per_second  BIGINT,
    bytes_per_second   BIGINT,
    quota_events       BIGINT,
    quota_days         BIGINT,
    sample_days        BIGINT,
    error_days         BIGINT,
    rollup_days        BIGINT,
    disk_bytes         BIGINT
);

-- The events and bytes of an app by day. The row of today is updated with each batch.
CREATE TABLE usage (
    app_id  TEXT COLLATE "C" NOT NULL REFERENCES apps (id),
    day     BIGINT NOT NULL,                             -- days since 1970
    events  BIGINT NOT NULL,
    bytes   BIGINT NOT NULL,
    PRIMARY KEY (app_id, day)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Tokens that agents send with. Only SHA-256 hashes are kept.
CREATE TABLE secret_tokens (
    hash        BYTEA PRIMARY KEY,
    app_id      TEXT COLLATE "C" NOT NULL REFERENCES apps (id),
    created_at  BIGINT NOT NULL
);

-- Tokens that people read an organization's data with.
CREATE TABLE read_tokens (
    hash             BYTEA PRIMARY KEY,
    organization_id  TEXT COLLATE "C" NOT NULL REFERENCES organizations (id),
    created_at       BIGINT NOT NULL
);

-- Browsers that signed in with a read token. Only SHA-256 hashes are kept.
CREATE TABLE sessions (
    hash        BYTEA PRIMARY KEY,
    token_hash  BYTEA NOT NULL REFERENCES read_tokens (hash) ON DELETE CASCADE,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);
CREATE INDEX sessions_by_token ON sessions (token_hash, created_at);

-- Origins of web pages, whose browsers may send data without a token: 'https://shop.example', 'https://*.shop.example'.
CREATE TABLE allowed_origins (
    app_id      TEXT COLLATE "C" NOT NULL REFERENCES apps (id),
    origin      TEXT COLLATE "C" NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (app_id, origin)
);

-- `last_seen` of each transaction of a batch is updated: free space for it, and vacuum soon, as for `apps`.
CREATE TABLE transactions (
    id          BIGINT PRIMARY KEY,                      -- a hash of the app, the kind and the name, below 2^53
    app_id      TEXT COLLATE "C" NOT NULL REFERENCES apps (id),
    kind        TEXT COLLATE "C" NOT NULL,               -- '' where the agent sends none
    name        TEXT COLLATE "C" NOT NULL,
    first_seen  BIGINT NOT NULL,
    last_seen   BIGINT NOT NULL,
    UNIQUE (app_id, kind, name)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Every duration, rolled up by minute (resolution 60) and by hour (3600).
--
-- The resolution is the first part of the partitions' key, since rows by minute are removed after days and rows by hour
-- after a year: each partition has rows that become old together. Every query names one resolution.
CREATE TABLE rollups (
    transaction_id  BIGINT NOT NULL,
    resolution      BIGINT NOT NULL,
    start           BIGINT NOT NULL,
    result          TEXT COLLATE "C" NOT NULL,
    count           BIGINT NOT NULL,
    failed          BIGINT NOT NULL,                     -- how many of them count as failures
    sum_ms          DOUBLE PRECISION NOT NULL,
    min_ms          DOUBLE PRECISION NOT NULL,
    max_ms          DOUBLE PRECISION NOT NULL,
    sketch          BYTEA NOT NULL,
    -- The distribution of the times to the response head; NULL where they count as equal to the durations.
    head_sketch     BYTEA,
    PRIMARY KEY (transaction_id, resolution, start, result)
) PARTITION BY RANGE (resolution, start);
-- Sketches are dense: an attempt to compress them in each update would cost time and save nothing.
ALTER TABLE rollups ALTER COLUMN sketch SET STORAGE EXTERNAL, ALTER COLUMN head_sketch SET STORAGE EXTERNAL;
CREATE TABLE rollups_default PARTITION OF rollups DEFAULT;

-- Self time by kind of span; what no span covers has the kind 'app'.
CREATE TABLE breakdowns (
    transaction_id  BIGINT NOT NULL,
    resolution      BIGINT NOT NULL,
    start           BIGINT NOT NULL,
    kind            TEXT COLLATE "C" NOT NULL,
    count           BIGINT NOT NULL,
    self_ms         DOUBLE PRECISION NOT NULL,
    -- The number of sampled transactions that a self time is estimated from; 0 where it is exact.
    samples         BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (transaction_id, resolution, start, kind)
) PARTITION BY RANGE (resolution, start);
CREATE TABLE breakdowns_default PARTITION OF breakdowns DEFAULT;

-- The id is the time in milliseconds since 1970, times 4096, plus 12 bits that make it unique. Samples from before that
-- have small ids, which are in the default partition.
CREATE TABLE samples (
    id              BIGINT PRIMARY KEY,
    transaction_id  BIGINT NOT NULL,
    happened_at     BIGINT NOT NULL,
    duration_ms     DOUBLE PRECISION NOT NULL,
    result          TEXT COLLATE "C" NOT NULL,
    outcome         TEXT COLLATE "C" NOT NULL,           -- '' where the agent sends none
    external_id     TEXT COLLATE "C" NOT NULL,           -- the agent's id of the transaction, or ''
    document        BYTEA NOT NULL,                      -- a SampleDocument, JSON in zlib
    -- Whether it counts as failed, decided by `ResultClass` when it is stored: 0 or 1.
    failed          BIGINT NOT NULL DEFAULT 0,
    -- The number of transactions that it is the average of; 0 for a single one.
    average_of      BIGINT NOT NULL DEFAULT 0,
    -- The distributed trace, in hexadecimal, or ''. Samples of one trace are shown in one waterfall.
    trace_id        TEXT COLLATE "C" NOT NULL DEFAULT ''
) PARTITION BY RANGE (id);
-- Documents are compressed already.
ALTER TABLE samples ALTER COLUMN document SET STORAGE EXTERNAL;
CREATE INDEX samples_by_transaction ON samples (transaction_id, happened_at);
CREATE INDEX samples_by_external_id ON samples (external_id) WHERE external_id <> '';
CREATE INDEX samples_by_trace ON samples (trace_id) WHERE trace_id <> '';
CREATE TABLE samples_default PARTITION OF samples DEFAULT;

-- Stacks that spans were started from: agents send each only once a process. `site` is a digest of the transaction's
-- name, the ancestors, the signature and the kind.
CREATE TABLE span_stacks (
    app_id  TEXT COLLATE "C" NOT NULL REFERENCES apps (id),
    site    TEXT COLLATE "C" NOT NULL,
    frames  TEXT NOT NULL,                               -- JSON array of frames, oldest call first
    PRIMARY KEY (app_id, site)
);

-- The totals of a group are updated with each batch that has its errors. As `last_seen` is indexed, each update changes
-- indexes too: vacuum soon keeps them small.
CREATE TABLE error_groups (
    id           BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    app_id       TEXT COLLATE "C" NOT NULL REFERENCES apps (id),
    number       BIGINT NOT NULL,                        -- shown as E#number
    fingerprint  BYTEA NOT NULL,                         -- begins with the version of the grouping algorithm
    type_name    TEXT COLLATE "C" NOT NULL,              -- '' for plain messages
    message      TEXT COLLATE "C" NOT NULL,              -- of the latest occurrence
    culprit      TEXT COLLATE "C" NOT NULL,
    level        TEXT COLLATE "C" NOT NULL,
    status       TEXT COLLATE "C" NOT NULL DEFAULT 'open',
    first_seen   BIGINT NOT NULL,
    last_seen    BIGINT NOT NULL,
    times_seen   BIGINT NOT NULL,
    -- Why the errors of a group belong together: a Grouping as JSON, or '' for groups of earlier versions.
    grouping     TEXT NOT NULL DEFAULT '',
    UNIQUE (app_id, number),
    UNIQUE (app_id, fingerprint)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
CREATE INDEX error_groups_by_last_seen ON error_groups (app_id, last_seen);

CREATE TABLE error_rollups (
    group_id    BIGINT NOT NULL,
    resolution  BIGINT NOT NULL,
    start       BIGINT NOT NULL,
    count       BIGINT NOT NULL,
    PRIMARY KEY (group_id, resolution, start)
) PARTITION BY RANGE (resolution, start);
CREATE TABLE error_rollups_default PARTITION OF error_rollups DEFAULT;

-- The id is made like that of a sample.
CREATE TABLE error_occurrences (
    id                       BIGINT PRIMARY KEY,
    group_id                 BIGINT NOT NULL,
    happened_at              BIGINT NOT NULL,
    transaction_name         TEXT COLLATE "C" NOT NULL,  -- '' outside of a transaction
    transaction_external_id  TEXT COLLATE "C" NOT NULL,  -- samples.external_id, or ''
    client_supplied_id       TEXT COLLATE "C" NOT NULL,
    document                 BYTEA NOT NULL,             -- an ErrorBody, JSON in zlib, frames oldest first
    notes                    TEXT NOT NULL DEFAULT '',   -- what intake changed in this error, as JSON; '' if nothing
    release                  BIGINT NOT NULL DEFAULT 0   -- the number of the release it happened in; 0 if unknown
) PARTITION BY RANGE (id);
ALTER TABLE error_occurrences ALTER COLUMN document SET STORAGE EXTERNAL;
CREATE INDEX error_occurrences_by_group ON error_occurrences (group_id, happened_at);
CREATE INDEX error_occurrences_by_transaction ON error_occurrences (transaction_external_id)
    WHERE transaction_external_id <> '';
-- Users of an application name an error by its id.
CREATE INDEX error_occurrences_by_client_supplied_id ON error_occurrences (client_supplied_id)
    WHERE client_supplied_id <> '';
CREATE TABLE error_occurrences_default PARTITION OF error_occurrences DEFAULT;

-- How far the worker has come in the queue: moved in the same transaction as what it stored.
CREATE TABLE queue_cursor (
    queue     TEXT COLLATE "C" PRIMARY KEY,
    segment   BIGINT NOT NULL,
    position  BIGINT NOT NULL
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Records of a queue without positions that are stored, so that one that is delivered again changes nothing.
CREATE TABLE stored_records (
    id         BYTEA PRIMARY KEY,                        -- 16 bytes
    stored_at  BIGINT NOT NULL
);
CREATE INDEX stored_records_by_age ON stored_records (stored_at);

-- Idempotency keys of bodies already stored, so that a repeated post is counted once.
CREATE TABLE stored_bodies (
    app_id     TEXT COLLATE "C" NOT NULL,
    key        TEXT COLLATE "C" NOT NULL,
    stored_at  BIGINT NOT NULL,
    PRIMARY KEY (app_id, key)
);
CREATE INDEX stored_bodies_by_age ON stored_bodies (stored_at);

-- Messages that the worker could not store: kept to be looked at and replayed.
CREATE TABLE parked_messages (
    id         BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    parked_at  BIGINT NOT NULL,
    reason     TEXT NOT NULL,
    message    BYTEA NOT NULL                            -- the queue record as it was
);

-- Data that agents dropped, by reason and by the minute in which they reported it.
CREATE TABLE drops (
    app_id  TEXT COLLATE "C" NOT NULL REFERENCES apps (id),
    start   BIGINT NOT NULL,
    reason  TEXT COLLATE "C" NOT NULL,                   -- 'errors', 'transactions', …
    count   BIGINT NOT NULL,
    PRIMARY KEY (app_id, start, reason)
);

-- What intake changed in an app's bodies, and which bodies it refused, by the minute of the receipt.
CREATE TABLE intake_notes (
    app_id  TEXT COLLATE "C" NOT NULL REFERENCES apps (id),
    start   BIGINT NOT NULL,
    action  TEXT COLLATE "C" NOT NULL,                   -- 'changed' or 'refused'
    reason  TEXT COLLATE "C" NOT NULL,
    count   BIGINT NOT NULL,
    PRIMARY KEY (app_id, start, action, reason)
);

-- Releases, by revision, with the machines that they were completed on.
CREATE TABLE releases (
    id                  BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    app_id              TEXT COLLATE "C" NOT NULL REFERENCES apps (id),
    number              BIGINT NOT NULL,                 -- shown as R#number
    rev                 TEXT COLLATE "C" NOT NULL,
    branch              TEXT COLLATE "C" NOT NULL,       -- '' where it is unknown
    -- 'completed', or 'machine-completed' until the whole release is completed.
    status              TEXT COLLATE "C" NOT NULL,
    first_completed_at  BIGINT NOT NULL,
    last_completed_at   BIGINT NOT NULL,
    UNIQUE (app_id, number),
    UNIQUE (app_id, rev)
);
CREATE INDEX releases_by_time ON releases (app_id, last_completed_at);

CREATE TABLE release_machines (
    release_id    BIGINT NOT NULL REFERENCES releases (id),
    hostname      TEXT COLLATE "C" NOT NULL,
    completed_at  BIGINT NOT NULL,
    PRIMARY KEY (release_id, hostname)
);

-- Reports of what is installed on machines.
CREATE TABLE deployments (
    id               BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    app_id           TEXT COLLATE "C" NOT NULL REFERENCES apps (id),
    received_at      BIGINT NOT NULL,
    component_count  BIGINT NOT NULL,
    package_count    BIGINT NOT NULL,
    components       BYTEA NOT NULL,                     -- the first components, a JSON array in zlib
    document         BYTEA NOT NULL                      -- a DeploymentDocument, JSON in zlib
);
ALTER TABLE deployments ALTER COLUMN components SET STORAGE EXTERNAL, ALTER COLUMN document SET STORAGE EXTERNAL;
CREATE INDEX deployments_by_time ON deployments (received_at);

-- The machines that a report is about: mostly one.
CREATE TABLE deployment_machines (
    app_id         TEXT COLLATE "C" NOT NULL REFERENCES apps (id),
    hostname       TEXT COLLATE "C" NOT NULL,
    received_at    BIGINT NOT NULL,
    deployment_id  BIGINT NOT NULL REFERENCES deployments (id),
    PRIMARY KEY (app_id, hostname, received_at, deployment_id)
);
CREATE INDEX deployment_machines_by_deployment ON deployment_machines (deployment_id);

-- Spans whose transaction has not arrived yet. They are kept for an hour: all rows of the table are soon replaced, so
-- that vacuum starts after a small share of them, here and in the two tables that follow.
CREATE TABLE pending_spans (
    id           BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    app_id       TEXT COLLATE "C" NOT NULL,
    trace_id     BYTEA NOT NULL,                         -- 16 bytes
    span_id      BYTEA NOT NULL,                         -- 8 bytes
    received_at  BIGINT NOT NULL,
    document     BYTEA NOT NULL,                         -- a NewSpan, encoded with postcard
    UNIQUE (app_id, trace_id, span_id)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
CREATE INDEX pending_spans_by_age ON pending_spans (received_at);

-- Transactions whose late spans are still joined, and repeated spans recognised: those of the last hour.
CREATE TABLE joined_transactions (
    id           BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    app_id       TEXT COLLATE "C" NOT NULL,
    trace_id     BYTEA NOT NULL,
    span_id      BYTEA NOT NULL,
    received_at  BIGINT NOT NULL,
    document     BYTEA NOT NULL,                         -- a JoinedTransaction, encoded with postcard
    UNIQUE (app_id, trace_id, span_id)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
CREATE INDEX joined_transactions_by_age ON joined_transactions (received_at);

-- Exceptions of the last hour, so that one that several spans and a log record report counts once.
CREATE TABLE trace_exceptions (
    id           BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    app_id       TEXT COLLATE "C" NOT NULL,
    trace_id     BYTEA NOT NULL,
    exception    BYTEA NOT NULL,                         -- a hash of its type and message
    span_id      BYTEA NOT NULL,
    is_log       BIGINT NOT NULL,                        -- whether a log record reported it: 0 or 1
    is_paired    BIGINT NOT NULL,                        -- whether both a log record and a span reported it: 0 or 1
    received_at  BIGINT NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
CREATE INDEX trace_exceptions_by_trace ON trace_exceptions (app_id, trace_id, exception);
CREATE INDEX trace_exceptions_by_age ON trace_exceptions (received_at);

-- The clock at the last removal of old rows, and the time since which it has not jumped; microseconds since 1970.
CREATE TABLE clock (
    id            BIGINT PRIMARY KEY CHECK (id = 1),
    seen_at       BIGINT NOT NULL,
    steady_since  BIGINT NOT NULL
);

-- How far rows of each resolution are summed up into rows of a longer time.
CREATE TABLE compactions (
    resolution  BIGINT PRIMARY KEY,
    until       BIGINT NOT NULL
);

-- Runs of scheduled jobs. The newest run of a monitor has its present schedule.
CREATE TABLE check_ins (
    app_id         TEXT COLLATE "C" NOT NULL REFERENCES apps (id),
    monitor        TEXT COLLATE "C" NOT NULL,
    started_at     BIGINT NOT NULL,
    schedule       TEXT COLLATE "C" NOT NULL,            -- a cron expression, or 'every 60s'
    time_zone      TEXT COLLATE "C" NOT NULL,            -- '' for UTC
    grace_seconds  BIGINT,                               -- NULL if the job does not state it
    duration_ms    DOUBLE PRECISION,                     -- NULL while it runs
    result         TEXT COLLATE "C" NOT NULL,            -- '' while it runs
    PRIMARY KEY (app_id, monitor, started_at)
);
CREATE INDEX check_ins_by_time ON check_ins (started_at);

-- The values of a JSON array of texts, as the function of this name in SQLite returns them, so that one statement with
-- a list works in both. PostgreSQL's own function of this name takes a value of the type JSON, not a text.
CREATE FUNCTION json_each(list TEXT) RETURNS TABLE (value TEXT) LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 100
    AS $$ SELECT pg_catalog.json_array_elements_text(list::json) $$;
