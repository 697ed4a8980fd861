-- What agents recorded and could not deliver, by the minute in which the server was told.
CREATE TABLE losses (
    app_id  TEXT NOT NULL REFERENCES apps (id),
    start   INTEGER NOT NULL,               -- seconds since 1970
    what    TEXT NOT NULL,                  -- 'errors', 'transactions', …
    count   INTEGER NOT NULL,
    PRIMARY KEY (app_id, start, what)
) STRICT, WITHOUT ROWID;
