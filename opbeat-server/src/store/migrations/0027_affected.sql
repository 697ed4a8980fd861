-- The users that the errors of a group happened to, and the transactions that they happened in. A merged group keeps its own.
CREATE TABLE error_values (
    group_id   INTEGER NOT NULL REFERENCES error_groups (id),
    list       TEXT NOT NULL,     -- 'user' or 'transaction'
    key        BLOB NOT NULL,     -- 16 bytes of a hash; empty for all values beyond the cap
    value      TEXT NOT NULL,     -- the names of the user as JSON, '' when they are forgotten; or the transaction's name
    count      INTEGER NOT NULL,  -- of reports
    last_seen  INTEGER NOT NULL,  -- microseconds since 1970
    PRIMARY KEY (group_id, list, key)
) STRICT, WITHOUT ROWID;

-- The number of different users, with those of the groups that are merged into it; 1,001 if they are more than 1,000.
ALTER TABLE error_groups ADD COLUMN users INTEGER NOT NULL DEFAULT 0;
ALTER TABLE error_occurrences ADD COLUMN user_key BLOB; -- of error_values
