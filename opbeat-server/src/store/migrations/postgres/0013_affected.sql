-- The users that the errors of a group happened to, and the transactions that they happened in. A merged group keeps its own.
-- No foreign key, as in the other tables that get rows for nearly each message.
CREATE TABLE error_values (
    group_id   BIGINT NOT NULL,
    list       TEXT COLLATE "C" NOT NULL,  -- 'user' or 'transaction'
    key        BYTEA NOT NULL,             -- 16 bytes of a hash; empty for all values beyond the cap
    value      TEXT COLLATE "C" NOT NULL,  -- the names of the user as JSON, '' when they are forgotten; or the transaction's name
    count      BIGINT NOT NULL,            -- of reports
    last_seen  BIGINT NOT NULL,            -- microseconds since 1970
    PRIMARY KEY (group_id, list, key)
) WITH (fillfactor = 70);

-- The number of different users, with those of the groups that are merged into it; 1,001 if they are more than 1,000.
ALTER TABLE error_groups ADD COLUMN users BIGINT NOT NULL DEFAULT 0;
ALTER TABLE error_occurrences ADD COLUMN user_key BYTEA; -- of error_values
