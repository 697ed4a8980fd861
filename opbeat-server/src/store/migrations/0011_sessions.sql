-- Browsers that signed in with a read token. Only SHA-256 hashes are kept. Times are microseconds since 1970 UTC.
CREATE TABLE sessions (
    hash        BLOB PRIMARY KEY,
    token_hash  BLOB NOT NULL REFERENCES read_tokens (hash) ON DELETE CASCADE,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_token ON sessions (token_hash, created_at);
