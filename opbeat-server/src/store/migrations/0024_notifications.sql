-- Activities that people and programs are told about: from this time on, in microseconds since 1970. NULL if it is done.
-- Those that exist are done.
ALTER TABLE activities ADD COLUMN notify_at INTEGER;
CREATE INDEX activities_to_notify ON activities (notify_at) WHERE notify_at IS NOT NULL;
ALTER TABLE error_groups ADD COLUMN notified_at INTEGER; -- the last message about a new error, a regression or a spike
ALTER TABLE error_groups ADD COLUMN spiked_at INTEGER;   -- the last spike

-- The channels of an app: where its activities are posted. Secrets are readable, since each message is signed or sent with them.
CREATE TABLE notification_channels (
    id            INTEGER PRIMARY KEY,
    app_id        TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    kind          TEXT NOT NULL,     -- 'webhook', 'slack', 'ntfy' or 'pushover'
    name          TEXT NOT NULL,
    target        TEXT NOT NULL,     -- the URL, or the key of the receiver
    secret        TEXT NOT NULL,     -- the key of signatures or a token, or ''
    activities    TEXT NOT NULL,     -- 'important' or 'all'
    created_at    INTEGER NOT NULL,
    last_tried_at INTEGER,
    last_error    TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX notification_channels_by_app ON notification_channels (app_id, id);

-- How a person gets mails. Those without a row get each at once.
CREATE TABLE notification_preferences (
    person_id    TEXT PRIMARY KEY REFERENCES people (id) ON DELETE CASCADE,
    mails        TEXT NOT NULL,      -- 'at_once', 'digest' or 'never'
    quiet_from   INTEGER,            -- minutes after midnight, UTC; NULL for no quiet hours
    quiet_to     INTEGER,
    unsubscribe  BLOB NOT NULL       -- the secret of links that turn mails off
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX notification_preferences_by_secret ON notification_preferences (unsubscribe);

-- The messages of one receiver in an hour: a channel, or a person for one app.
CREATE TABLE notification_budgets (
    app_id      TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    receiver    TEXT NOT NULL,       -- 'channel-7', or the id of a person
    started_at  INTEGER NOT NULL,    -- of the hour
    sent        INTEGER NOT NULL,
    suppressed  INTEGER NOT NULL,
    PRIMARY KEY (app_id, receiver)
) STRICT, WITHOUT ROWID;

-- The outbox: a row for each message and receiver. A worker that sends one moves due_at ahead, so that others leave it alone.
CREATE TABLE notifications (
    id          INTEGER PRIMARY KEY,
    app_id      TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    channel_id  INTEGER REFERENCES notification_channels (id) ON DELETE CASCADE,
    person_id   TEXT REFERENCES people (id) ON DELETE CASCADE,
    message     TEXT NOT NULL,       -- a Message as JSON
    created_at  INTEGER NOT NULL,
    due_at      INTEGER,             -- of the next attempt; NULL if it was sent or given up
    attempts    INTEGER NOT NULL,
    sent_at     INTEGER,
    error       TEXT NOT NULL        -- of the last attempt
) STRICT;
CREATE INDEX notifications_to_send ON notifications (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX notifications_by_app ON notifications (app_id, id);
CREATE INDEX notifications_by_channel ON notifications (channel_id) WHERE channel_id IS NOT NULL;
CREATE INDEX notifications_by_person ON notifications (person_id) WHERE person_id IS NOT NULL;
CREATE INDEX notifications_by_age ON notifications (created_at);
