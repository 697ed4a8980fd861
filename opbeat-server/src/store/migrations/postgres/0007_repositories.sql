-- The Git repository of an app. Tokens are in files, not here. Times are microseconds since 1970 UTC.
CREATE TABLE repositories (
    app_id           TEXT COLLATE "C" PRIMARY KEY REFERENCES apps (id),
    url              TEXT COLLATE "C" NOT NULL,      -- without a user and a password, or a path on the server
    token_file       TEXT COLLATE "C" NOT NULL,      -- the file with the token, or ''
    branch           TEXT COLLATE "C" NOT NULL,      -- the revision of errors without a release, or ''
    prefix           TEXT COLLATE "C" NOT NULL,      -- the folder of the app in the repository, or ''
    allows_private   BIGINT NOT NULL,   -- whether its host may have a private address
    connected_at     BIGINT NOT NULL,
    last_tried_at    BIGINT,
    last_fetched_at  BIGINT,
    last_error       TEXT COLLATE "C" NOT NULL DEFAULT ''
);

-- Whether new errors of an app are assigned to authors.
ALTER TABLE apps ADD COLUMN assigns_authors BIGINT NOT NULL DEFAULT 1;

-- The person or the team that an error group is assigned to. Groups are looked at once; those that exist are not.
ALTER TABLE error_groups ADD COLUMN assignee_id TEXT COLLATE "C" REFERENCES people (id) ON DELETE SET NULL;
ALTER TABLE error_groups ADD COLUMN assignee_team BIGINT REFERENCES teams (id) ON DELETE SET NULL;
ALTER TABLE error_groups ADD COLUMN assigned_by TEXT COLLATE "C" NOT NULL DEFAULT '';       -- '', 'blame', 'person' or 'team'
ALTER TABLE error_groups ADD COLUMN assignment_reason TEXT COLLATE "C" NOT NULL DEFAULT ''; -- a sentence
ALTER TABLE error_groups ADD COLUMN assignment_due BIGINT NOT NULL DEFAULT 1;  -- whether the worker looks at it
UPDATE error_groups SET assignment_due = 0;
CREATE INDEX error_groups_to_assign ON error_groups (id) WHERE assignment_due = 1;
CREATE INDEX error_groups_by_assignee ON error_groups (assignee_id, app_id) WHERE assignee_id IS NOT NULL;
CREATE INDEX error_groups_by_assigned_team ON error_groups (assignee_team, app_id) WHERE assignee_team IS NOT NULL;

-- The commits of a release, against the release before. Releases that exist are not looked at, until a repository is connected.
ALTER TABLE releases ADD COLUMN commits_due BIGINT NOT NULL DEFAULT 1; -- whether the worker reads them
UPDATE releases SET commits_due = 0;
CREATE INDEX releases_with_commits_due ON releases (id) WHERE commits_due = 1;
CREATE TABLE release_changes (
    release_id  BIGINT PRIMARY KEY REFERENCES releases (id),
    commits     BIGINT NOT NULL,
    left_out    BIGINT NOT NULL,  -- commits of the release before that this one lacks
    additions   BIGINT NOT NULL,  -- lines
    deletions   BIGINT NOT NULL,
    age         BIGINT,           -- seconds from its oldest commit to its first completion
    authors     TEXT COLLATE "C" NOT NULL,     -- names, a JSON array, those with the most commits first
    reason      TEXT COLLATE "C" NOT NULL      -- why its commits are not known, or ''
);
CREATE TABLE release_commits (
    release_id   BIGINT NOT NULL REFERENCES releases (id),
    position     BIGINT NOT NULL,  -- from 0 on, the newest first
    hash         TEXT COLLATE "C" NOT NULL,
    author       TEXT COLLATE "C" NOT NULL,
    authored_at  BIGINT NOT NULL,
    subject      TEXT COLLATE "C" NOT NULL,
    additions    BIGINT,           -- NULL for merges
    deletions    BIGINT,
    mentions     TEXT COLLATE "C" NOT NULL,     -- issues and pull requests, a JSON array
    PRIMARY KEY (release_id, position)
);
CREATE INDEX release_commits_by_hash ON release_commits (hash);
