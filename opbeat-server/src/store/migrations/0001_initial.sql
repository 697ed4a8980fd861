-- Times named *_at and *_seen are microseconds since 1970 UTC; `start` is seconds since 1970 UTC.

CREATE TABLE organizations (
    id          TEXT PRIMARY KEY,          -- 32 hex digits
    short_name  TEXT NOT NULL UNIQUE,
    created_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE apps (
    id                 TEXT PRIMARY KEY,   -- 10 hex digits
    organization_id    TEXT NOT NULL REFERENCES organizations (id),
    short_name         TEXT NOT NULL,
    created_at         INTEGER NOT NULL,
    next_error_number  INTEGER NOT NULL DEFAULT 1,
    UNIQUE (organization_id, short_name)
) STRICT;

-- Tokens that agents send with. Only SHA-256 hashes are kept.
CREATE TABLE secret_tokens (
    hash        BLOB PRIMARY KEY,
    app_id      TEXT NOT NULL REFERENCES apps (id),
    created_at  INTEGER NOT NULL
) STRICT;

-- Tokens that people read an organization's data with.
CREATE TABLE read_tokens (
    hash             BLOB PRIMARY KEY,
    organization_id  TEXT NOT NULL REFERENCES organizations (id),
    created_at       INTEGER NOT NULL
) STRICT;

CREATE TABLE transactions (
    id          INTEGER PRIMARY KEY,
    app_id      TEXT NOT NULL REFERENCES apps (id),
    kind        TEXT NOT NULL,             -- '' where the agent sends none
    name        TEXT NOT NULL,
    first_seen  INTEGER NOT NULL,
    last_seen   INTEGER NOT NULL,
    UNIQUE (app_id, kind, name)
) STRICT;

-- Every duration, rolled up by minute (resolution 60) and by hour (3600).
CREATE TABLE rollups (
    transaction_id  INTEGER NOT NULL REFERENCES transactions (id),
    resolution      INTEGER NOT NULL,
    start           INTEGER NOT NULL,
    result          TEXT NOT NULL,
    count           INTEGER NOT NULL,
    failed          INTEGER NOT NULL,      -- how many of them count as failures
    sum_ms          REAL NOT NULL,
    min_ms          REAL NOT NULL,
    max_ms          REAL NOT NULL,
    sketch          BLOB NOT NULL,
    PRIMARY KEY (transaction_id, resolution, start, result)
) STRICT, WITHOUT ROWID;

-- Self time by kind of span; what no span covers has the kind 'app'.
CREATE TABLE breakdowns (
    transaction_id  INTEGER NOT NULL REFERENCES transactions (id),
    resolution      INTEGER NOT NULL,
    start           INTEGER NOT NULL,
    kind            TEXT NOT NULL,
    count           INTEGER NOT NULL,
    self_ms         REAL NOT NULL,
    PRIMARY KEY (transaction_id, resolution, start, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE samples (
    id              INTEGER PRIMARY KEY,
    transaction_id  INTEGER NOT NULL REFERENCES transactions (id),
    happened_at     INTEGER NOT NULL,
    duration_ms     REAL NOT NULL,
    result          TEXT NOT NULL,
    outcome         TEXT NOT NULL,         -- '' where the agent sends none
    external_id     TEXT NOT NULL,         -- the agent's id of the transaction, or ''
    document        BLOB NOT NULL          -- a SampleDocument, JSON in zlib
) STRICT;
CREATE INDEX samples_by_transaction ON samples (transaction_id, happened_at);
CREATE INDEX samples_by_external_id ON samples (external_id) WHERE external_id <> '';

-- Stacks that spans were started from: agents send each only once a process.
CREATE TABLE span_stacks (
    app_id     TEXT NOT NULL REFERENCES apps (id),
    kind       TEXT NOT NULL,
    signature  TEXT NOT NULL,
    frames     TEXT NOT NULL,              -- JSON array of frames, oldest call first
    PRIMARY KEY (app_id, kind, signature)
) STRICT, WITHOUT ROWID;

CREATE TABLE error_groups (
    id           INTEGER PRIMARY KEY,
    app_id       TEXT NOT NULL REFERENCES apps (id),
    number       INTEGER NOT NULL,         -- shown as E#number
    fingerprint  BLOB NOT NULL,            -- begins with the version of the grouping algorithm
    type_name    TEXT NOT NULL,            -- '' for plain messages
    message      TEXT NOT NULL,            -- of the latest occurrence
    culprit      TEXT NOT NULL,
    level        TEXT NOT NULL,
    status       TEXT NOT NULL DEFAULT 'open',
    first_seen   INTEGER NOT NULL,
    last_seen    INTEGER NOT NULL,
    times_seen   INTEGER NOT NULL,
    UNIQUE (app_id, number),
    UNIQUE (app_id, fingerprint)
) STRICT;
CREATE INDEX error_groups_by_last_seen ON error_groups (app_id, last_seen);

CREATE TABLE error_rollups (
    group_id    INTEGER NOT NULL REFERENCES error_groups (id),
    resolution  INTEGER NOT NULL,
    start       INTEGER NOT NULL,
    count       INTEGER NOT NULL,
    PRIMARY KEY (group_id, resolution, start)
) STRICT, WITHOUT ROWID;

CREATE TABLE error_occurrences (
    id                       INTEGER PRIMARY KEY,
    group_id                 INTEGER NOT NULL REFERENCES error_groups (id),
    happened_at              INTEGER NOT NULL,
    transaction_name         TEXT NOT NULL, -- '' outside of a transaction
    transaction_external_id  TEXT NOT NULL, -- samples.external_id, or ''
    client_supplied_id       TEXT NOT NULL,
    document                 BLOB NOT NULL  -- an opbeat_core::protocol::ErrorBody, JSON in zlib, frames oldest first
) STRICT;
CREATE INDEX error_occurrences_by_group ON error_occurrences (group_id, happened_at);
CREATE INDEX error_occurrences_by_transaction ON error_occurrences (transaction_external_id)
    WHERE transaction_external_id <> '';

-- How far the worker has come in the queue: moved in the same transaction as what it stored.
CREATE TABLE queue_cursor (
    queue     TEXT PRIMARY KEY,
    segment   INTEGER NOT NULL,
    position  INTEGER NOT NULL
) STRICT;

-- Idempotency keys of bodies already stored, so that a repeated post is counted once.
CREATE TABLE stored_bodies (
    app_id     TEXT NOT NULL,
    key        TEXT NOT NULL,
    stored_at  INTEGER NOT NULL,
    PRIMARY KEY (app_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX stored_bodies_by_age ON stored_bodies (stored_at);

-- Messages that the worker could not store: kept to be looked at and replayed.
CREATE TABLE parked_messages (
    id         INTEGER PRIMARY KEY,
    parked_at  INTEGER NOT NULL,
    reason     TEXT NOT NULL,
    message    BLOB NOT NULL               -- the queue record as it was
) STRICT;
