-- Transactions that take longer since a release, as the latest look saw it, or since a time without a release.
CREATE TABLE changed_findings (
    id              INTEGER PRIMARY KEY,
    transaction_id  INTEGER NOT NULL REFERENCES transactions (id),
    app_id          TEXT NOT NULL REFERENCES apps (id),
    release         INTEGER,            -- releases.number; NULL for a change without a release
    began_at        INTEGER,            -- of a change without a release, microseconds since 1970
    ended_at        INTEGER,            -- when a change without a release was over, or explained
    explained_by    INTEGER,            -- releases.number of the release that explained it afterwards
    effect          REAL,               -- of a change without a release: ln(after / before) in the figure that shows it best
    minutes         INTEGER NOT NULL,   -- of the look
    found_at        INTEGER NOT NULL,   -- of the first look that saw it, microseconds since 1970
    kind            TEXT NOT NULL,      -- 'slower' or 'mix'
    is_certain      INTEGER NOT NULL,
    before_ms       REAL NOT NULL,
    after_ms        REAL NOT NULL,
    sentence        TEXT NOT NULL
) STRICT;
INSERT INTO changed_findings (transaction_id, app_id, release, minutes, found_at, kind, is_certain, before_ms, after_ms, sentence)
    SELECT transaction_id, app_id, release, minutes, found_at, kind, is_certain, before_ms, after_ms, sentence FROM findings;
DROP TABLE findings;
ALTER TABLE changed_findings RENAME TO findings;
CREATE INDEX findings_by_app ON findings (app_id, found_at);
CREATE UNIQUE INDEX findings_by_release ON findings (transaction_id, release) WHERE release IS NOT NULL;
-- A change without a release is found once.
CREATE UNIQUE INDEX open_findings ON findings (transaction_id) WHERE release IS NULL AND ended_at IS NULL;

-- The end of the last hour of each app that was looked at, in seconds since 1970.
CREATE TABLE hourly_looks (
    app_id  TEXT PRIMARY KEY REFERENCES apps (id),
    hour    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
