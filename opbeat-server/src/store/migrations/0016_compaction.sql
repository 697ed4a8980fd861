-- How far the rows of a resolution are complete, for each app, in seconds since 1970. Rows of a minute always are.
--
-- Until now, each row was written by minute and by hour, so that all rows by hour are complete. There are none by ten
-- minutes from before the oldest rows by minute: there, those by hour are read instead.
DROP TABLE compactions;
CREATE TABLE compactions (
    app_id      TEXT NOT NULL REFERENCES apps (id),
    resolution  INTEGER NOT NULL,          -- 600, 3600 or 86400
    since       INTEGER NOT NULL,          -- before it, rows of the next longer resolution are read
    until       INTEGER NOT NULL,          -- before it, all data is in rows of this resolution; after it, none is
    PRIMARY KEY (app_id, resolution)
) STRICT, WITHOUT ROWID;

INSERT INTO compactions (app_id, resolution, since, until)
SELECT app_id, 3600, 0, max(last) + 3600 FROM (
    SELECT app_id, (SELECT max(start) FROM rollups
                    WHERE transaction_id = transactions.id AND resolution = 3600) AS last FROM transactions
    UNION ALL
    SELECT app_id, (SELECT max(start) FROM breakdowns
                    WHERE transaction_id = transactions.id AND resolution = 3600) FROM transactions
    UNION ALL
    SELECT app_id, (SELECT max(start) FROM error_rollups
                    WHERE group_id = error_groups.id AND resolution = 3600) FROM error_groups
) AS hours WHERE last IS NOT NULL GROUP BY app_id;

INSERT INTO compactions (app_id, resolution, since, until)
SELECT app_id, 600, until, until FROM compactions;

UPDATE compactions SET since = coalesce((
    SELECT min(first) - min(first) % 3600 + CASE WHEN min(first) % 3600 = 0 THEN 0 ELSE 3600 END FROM (
        SELECT (SELECT min(start) FROM rollups
                WHERE transaction_id = transactions.id AND resolution = 60) AS first
        FROM transactions WHERE transactions.app_id = compactions.app_id
        UNION ALL
        SELECT (SELECT min(start) FROM breakdowns
                WHERE transaction_id = transactions.id AND resolution = 60)
        FROM transactions WHERE transactions.app_id = compactions.app_id
        UNION ALL
        SELECT (SELECT min(start) FROM error_rollups
                WHERE group_id = error_groups.id AND resolution = 60)
        FROM error_groups WHERE error_groups.app_id = compactions.app_id
    ) AS minutes
), since) WHERE resolution = 600;
UPDATE compactions SET until = since WHERE resolution = 600;

-- The latest occurrence of each release is found without a walk through those of all others.
CREATE INDEX error_occurrences_by_release ON error_occurrences (group_id, release, happened_at);
