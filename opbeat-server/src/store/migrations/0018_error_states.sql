-- Error groups are open, resolved or muted. Conditions say when one that is not open opens again with an error.
ALTER TABLE error_groups ADD COLUMN status_since INTEGER NOT NULL DEFAULT 0; -- microseconds since 1970; errors before do not open it
ALTER TABLE error_groups ADD COLUMN after_release INTEGER; -- errors of releases up to this number do not open it
ALTER TABLE error_groups ADD COLUMN until_time INTEGER;    -- microseconds since 1970
ALTER TABLE error_groups ADD COLUMN until_count INTEGER;   -- the number of errors, with those before
ALTER TABLE error_groups ADD COLUMN regressed_at INTEGER;  -- when it opened again after it was resolved

-- The events of an error group, by people and by the server.
CREATE TABLE activities (
    id           INTEGER PRIMARY KEY,
    group_id     INTEGER NOT NULL REFERENCES error_groups (id) ON DELETE CASCADE,
    happened_at  INTEGER NOT NULL,      -- microseconds since 1970
    actor        TEXT NOT NULL,         -- who did it; '' for the server
    event        TEXT NOT NULL          -- an Event as JSON
) STRICT;
CREATE INDEX activities_by_group ON activities (group_id, happened_at);

-- A token may read, or read and write. Its name says in activities who did something.
ALTER TABLE read_tokens ADD COLUMN access TEXT NOT NULL DEFAULT 'read';
ALTER TABLE read_tokens ADD COLUMN name TEXT NOT NULL DEFAULT '';
