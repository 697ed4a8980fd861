-- The results and the kinds of span that have rows of their own, of each transaction. Further ones share a row.
CREATE TABLE kept_values (
    transaction_id  BIGINT NOT NULL REFERENCES transactions (id),
    list            TEXT COLLATE "C" NOT NULL,  -- 'result' or 'kind'
    value           TEXT COLLATE "C" NOT NULL,
    seen_on         BIGINT NOT NULL,            -- the last day on which it was stored, in days since 1970
    PRIMARY KEY (transaction_id, list, value)
);
CREATE INDEX kept_values_by_age ON kept_values (seen_on);

-- The last day on which a stack was sent, or a sample referred to it, in days since 1970. Until now it was not known.
ALTER TABLE span_stacks ADD COLUMN used_on BIGINT NOT NULL DEFAULT 0;
UPDATE span_stacks SET used_on = CAST(floor(extract(epoch FROM now()) / 86400) AS BIGINT);
CREATE INDEX span_stacks_by_age ON span_stacks (app_id, used_on);

-- The migration before took the oldest row by minute for the time since which rows of ten minutes are complete. A row can be
-- older than the time for which such rows are kept: that of an error, or of data that waited in the queue for days.
UPDATE compactions SET since = greatest(since, (CAST(floor(extract(epoch FROM now())) AS BIGINT) - 14 * 86400 + 3599) / 3600 * 3600)
WHERE resolution = 600 AND since > 0;
