-- What intake changed in an app's bodies, and which bodies it refused, by the minute of the receipt.
CREATE TABLE intake_notes (
    app_id  TEXT NOT NULL REFERENCES apps (id),
    start   INTEGER NOT NULL,               -- seconds since 1970
    action  TEXT NOT NULL,                  -- 'changed' or 'refused'
    reason  TEXT NOT NULL,
    count   INTEGER NOT NULL,
    PRIMARY KEY (app_id, start, action, reason)
) STRICT, WITHOUT ROWID;

-- What intake changed in this error, as JSON; '' if nothing.
ALTER TABLE error_occurrences ADD COLUMN notes TEXT NOT NULL DEFAULT '';
