-- The clock at the last removal of old rows, and the time since which it has not jumped; microseconds since 1970.
CREATE TABLE clock (
    id            INTEGER PRIMARY KEY CHECK (id = 1),
    seen_at       INTEGER NOT NULL,
    steady_since  INTEGER NOT NULL
) STRICT;
