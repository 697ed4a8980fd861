-- The records of a queue that may deliver a record again.
CREATE TABLE stored_records (
    id BLOB PRIMARY KEY NOT NULL,
    -- Microseconds since 1970.
    stored_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX stored_records_by_time ON stored_records (stored_at);
