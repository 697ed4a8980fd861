-- The looks at a release that were taken: 30, 60, 180 and 1,440 minutes after its completion.
CREATE TABLE looks (
    app_id   TEXT NOT NULL REFERENCES apps (id),
    release  INTEGER NOT NULL,          -- releases.number
    minutes  INTEGER NOT NULL,
    PRIMARY KEY (app_id, release, minutes)
) STRICT, WITHOUT ROWID;

-- Transactions that take longer since a release, as the latest look saw it.
CREATE TABLE findings (
    transaction_id  INTEGER NOT NULL REFERENCES transactions (id),
    release         INTEGER NOT NULL,   -- releases.number
    app_id          TEXT NOT NULL REFERENCES apps (id),
    minutes         INTEGER NOT NULL,   -- of the look
    found_at        INTEGER NOT NULL,   -- of the first look that saw it, microseconds since 1970
    kind            TEXT NOT NULL,      -- 'slower' or 'mix'
    is_certain      INTEGER NOT NULL,
    before_ms       REAL NOT NULL,
    after_ms        REAL NOT NULL,
    sentence        TEXT NOT NULL,
    PRIMARY KEY (transaction_id, release)
) STRICT, WITHOUT ROWID;
CREATE INDEX findings_by_app ON findings (app_id, found_at);

-- Releases of all apps that were completed not long ago.
CREATE INDEX releases_by_completion ON releases (last_completed_at);
