-- The accounts of people at a provider of OpenID Connect. Times are microseconds since 1970 UTC.
CREATE TABLE identities (
    issuer      TEXT COLLATE "C" NOT NULL,     -- the URL of the provider
    subject     TEXT COLLATE "C" NOT NULL,     -- identifies the account there
    person_id   TEXT COLLATE "C" NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    email       TEXT COLLATE "C" NOT NULL,     -- the verified address by which it was linked, in lower case
    created_at  BIGINT NOT NULL,
    used_at     BIGINT NOT NULL,               -- the latest sign-in
    PRIMARY KEY (issuer, subject)
);
-- A person has one account at a provider: another one with the same address may be of somebody else.
CREATE UNIQUE INDEX identities_by_person ON identities (person_id, issuer);
