-- The time zone of a person's quiet hours, by its name in IANA's database.
ALTER TABLE notification_preferences ADD COLUMN time_zone TEXT NOT NULL DEFAULT 'UTC';
