-- The Git repository of an app. Tokens are in files, not here. Times are microseconds since 1970 UTC.
CREATE TABLE repositories (
    app_id           TEXT PRIMARY KEY REFERENCES apps (id),
    url              TEXT NOT NULL,      -- without a user and a password, or a path on the server
    token_file       TEXT NOT NULL,      -- the file with the token, or ''
    branch           TEXT NOT NULL,      -- the revision of errors without a release, or ''
    prefix           TEXT NOT NULL,      -- the folder of the app in the repository, or ''
    allows_private   INTEGER NOT NULL,   -- whether its host may have a private address
    connected_at     INTEGER NOT NULL,
    last_tried_at    INTEGER,
    last_fetched_at  INTEGER,
    last_error       TEXT NOT NULL DEFAULT ''
) STRICT;

-- Whether new errors of an app are assigned to authors.
ALTER TABLE apps ADD COLUMN assigns_authors INTEGER NOT NULL DEFAULT 1;

-- The person or the team that an error group is assigned to. Groups are looked at once; those that exist are not.
ALTER TABLE error_groups ADD COLUMN assignee_id TEXT REFERENCES people (id) ON DELETE SET NULL;
ALTER TABLE error_groups ADD COLUMN assignee_team INTEGER REFERENCES teams (id) ON DELETE SET NULL;
ALTER TABLE error_groups ADD COLUMN assigned_by TEXT NOT NULL DEFAULT '';       -- '', 'blame', 'person' or 'team'
ALTER TABLE error_groups ADD COLUMN assignment_reason TEXT NOT NULL DEFAULT ''; -- a sentence
ALTER TABLE error_groups ADD COLUMN assignment_due INTEGER NOT NULL DEFAULT 1;  -- whether the worker looks at it
UPDATE error_groups SET assignment_due = 0;
CREATE INDEX error_groups_to_assign ON error_groups (id) WHERE assignment_due = 1;
CREATE INDEX error_groups_by_assignee ON error_groups (assignee_id, app_id) WHERE assignee_id IS NOT NULL;
CREATE INDEX error_groups_by_assigned_team ON error_groups (assignee_team, app_id) WHERE assignee_team IS NOT NULL;

-- The commits of a release, against the release before. Releases that exist are not looked at, until a repository is connected.
ALTER TABLE releases ADD COLUMN commits_due INTEGER NOT NULL DEFAULT 1; -- whether the worker reads them
UPDATE releases SET commits_due = 0;
CREATE INDEX releases_with_commits_due ON releases (id) WHERE commits_due = 1;
CREATE TABLE release_changes (
    release_id  INTEGER PRIMARY KEY REFERENCES releases (id),
    commits     INTEGER NOT NULL,
    left_out    INTEGER NOT NULL,  -- commits of the release before that this one lacks
    additions   INTEGER NOT NULL,  -- lines
    deletions   INTEGER NOT NULL,
    age         INTEGER,           -- seconds from its oldest commit to its first completion
    authors     TEXT NOT NULL,     -- names, a JSON array, those with the most commits first
    reason      TEXT NOT NULL      -- why its commits are not known, or ''
) STRICT;
CREATE TABLE release_commits (
    release_id   INTEGER NOT NULL REFERENCES releases (id),
    position     INTEGER NOT NULL,  -- from 0 on, the newest first
    hash         TEXT NOT NULL,
    author       TEXT NOT NULL,
    authored_at  INTEGER NOT NULL,
    subject      TEXT NOT NULL,
    additions    INTEGER,           -- NULL for merges
    deletions    INTEGER,
    mentions     TEXT NOT NULL,     -- issues and pull requests, a JSON array
    PRIMARY KEY (release_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX release_commits_by_hash ON release_commits (hash);
