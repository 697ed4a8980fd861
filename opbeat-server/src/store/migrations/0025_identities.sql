-- The accounts of people at a provider of OpenID Connect. Times are microseconds since 1970 UTC.
CREATE TABLE identities (
    issuer      TEXT NOT NULL,     -- the URL of the provider
    subject     TEXT NOT NULL,     -- identifies the account there
    person_id   TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    email       TEXT NOT NULL,     -- the verified address by which it was linked, in lower case
    created_at  INTEGER NOT NULL,
    used_at     INTEGER NOT NULL,  -- the latest sign-in
    PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;
-- A person has one account at a provider: another one with the same address may be of somebody else.
CREATE UNIQUE INDEX identities_by_person ON identities (person_id, issuer);
