-- Records of queues without positions that are stored, so that a repeated delivery changes nothing.
CREATE TABLE stored_records (
    id         BLOB PRIMARY KEY,           -- 16 bytes
    stored_at  INTEGER NOT NULL            -- microseconds since 1970
) STRICT, WITHOUT ROWID;
CREATE INDEX stored_records_by_age ON stored_records (stored_at);

-- What an app sent, by the day of its receipt (days since 1970).
CREATE TABLE usage (
    app_id  TEXT NOT NULL REFERENCES apps (id),
    day     INTEGER NOT NULL,
    events  INTEGER NOT NULL,
    bytes   INTEGER NOT NULL,
    PRIMARY KEY (app_id, day)
) STRICT, WITHOUT ROWID;

-- Limits and retention of an app; NULL means the server's setting.
CREATE TABLE app_settings (
    app_id             TEXT PRIMARY KEY REFERENCES apps (id),
    events_per_second  INTEGER,
    bytes_per_second   INTEGER,
    quota_events       INTEGER,
    quota_days         INTEGER,
    sample_days        INTEGER,
    error_days         INTEGER,
    rollup_days        INTEGER,
    disk_bytes         INTEGER
) STRICT, WITHOUT ROWID;

-- The time up to which finer rollups were added up to those of a resolution, both in seconds.
CREATE TABLE compactions (
    resolution  INTEGER PRIMARY KEY,
    until       INTEGER NOT NULL
) STRICT;

-- The number of the release that an error happened in, or 0.
ALTER TABLE error_occurrences ADD COLUMN release INTEGER NOT NULL DEFAULT 0;
