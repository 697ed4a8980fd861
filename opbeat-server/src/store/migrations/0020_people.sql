-- People, who sign in with an e-mail address and a password. Times are microseconds since 1970 UTC.
CREATE TABLE people (
    id           TEXT PRIMARY KEY,     -- 32 hex digits
    email        TEXT NOT NULL UNIQUE, -- in lower case
    name         TEXT NOT NULL,
    password     TEXT,                 -- of argon2id, in the PHC string format; NULL until the person has set one
    is_owner     INTEGER NOT NULL,     -- whether the person may do everything on this server
    created_at   INTEGER NOT NULL,
    disabled_at  INTEGER
) STRICT;

-- The organizations that a person belongs to, with a role: 'admin', 'member' or 'reader'.
CREATE TABLE memberships (
    organization_id  TEXT NOT NULL REFERENCES organizations (id),
    person_id        TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    role             TEXT NOT NULL,
    created_at       INTEGER NOT NULL,
    PRIMARY KEY (organization_id, person_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_by_person ON memberships (person_id);

-- Further e-mail addresses that a member's commits have.
CREATE TABLE aliases (
    organization_id  TEXT NOT NULL REFERENCES organizations (id),
    email            TEXT NOT NULL,    -- in lower case
    person_id        TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    PRIMARY KEY (organization_id, email)
) STRICT, WITHOUT ROWID;
CREATE INDEX aliases_by_person ON aliases (person_id);

-- Links by which a person joins an organization. Only SHA-256 hashes are kept.
CREATE TABLE invitations (
    hash             BLOB PRIMARY KEY,
    organization_id  TEXT NOT NULL REFERENCES organizations (id),
    email            TEXT NOT NULL,    -- in lower case
    role             TEXT NOT NULL,
    invited_by       TEXT NOT NULL,    -- a name
    created_at       INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    UNIQUE (organization_id, email)
) STRICT, WITHOUT ROWID;

-- Browsers in which a person signed in. Only SHA-256 hashes are kept.
CREATE TABLE person_sessions (
    hash        BLOB PRIMARY KEY,
    person_id   TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    address     TEXT NOT NULL,         -- of the browser at the sign-in
    browser     TEXT NOT NULL          -- the start of its User-Agent
) STRICT, WITHOUT ROWID;
CREATE INDEX person_sessions_by_person ON person_sessions (person_id, created_at);

-- A team is responsible for apps: it gets the errors of which no author is known.
CREATE TABLE teams (
    id               INTEGER PRIMARY KEY,
    organization_id  TEXT NOT NULL REFERENCES organizations (id),
    name             TEXT NOT NULL,
    UNIQUE (organization_id, name)
) STRICT;
CREATE TABLE team_members (
    team_id    INTEGER NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    person_id  TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    PRIMARY KEY (team_id, person_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX team_members_by_person ON team_members (person_id);
ALTER TABLE apps ADD COLUMN team_id INTEGER REFERENCES teams (id) ON DELETE SET NULL;

-- Who changed what about people, rights, tokens and settings.
CREATE TABLE audit_log (
    id               INTEGER PRIMARY KEY,
    organization_id  TEXT REFERENCES organizations (id), -- NULL for the whole server
    happened_at      INTEGER NOT NULL,
    actor            TEXT NOT NULL,    -- a name, with the e-mail address of a person
    address          TEXT NOT NULL,    -- of the browser; '' for the command line
    action           TEXT NOT NULL     -- an AuditAction as JSON
) STRICT;
CREATE INDEX audit_log_by_organization ON audit_log (organization_id, id);
