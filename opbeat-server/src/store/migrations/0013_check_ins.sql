-- Runs of scheduled jobs. The newest run of a monitor has its present schedule.
CREATE TABLE check_ins (
    app_id         TEXT NOT NULL REFERENCES apps (id),
    monitor        TEXT NOT NULL,
    started_at     INTEGER NOT NULL,
    schedule       TEXT NOT NULL,     -- a cron expression, or 'every 60s'
    time_zone      TEXT NOT NULL,     -- '' for UTC
    grace_seconds  INTEGER,           -- NULL if the job does not state it
    duration_ms    REAL,              -- NULL while it runs
    result         TEXT NOT NULL,     -- '' while it runs
    PRIMARY KEY (app_id, monitor, started_at)
) STRICT, WITHOUT ROWID;
CREATE INDEX check_ins_by_time ON check_ins (started_at);
