-- The looks at a release that were taken: 30, 60, 180 and 1,440 minutes after its completion.
CREATE TABLE looks (
    app_id   TEXT COLLATE "C" NOT NULL REFERENCES apps (id),
    release  BIGINT NOT NULL,                      -- releases.number
    minutes  BIGINT NOT NULL,
    PRIMARY KEY (app_id, release, minutes)
);

-- Transactions that take longer since a release, as the latest look saw it.
CREATE TABLE findings (
    transaction_id  BIGINT NOT NULL REFERENCES transactions (id),
    release         BIGINT NOT NULL,               -- releases.number
    app_id          TEXT COLLATE "C" NOT NULL REFERENCES apps (id),
    minutes         BIGINT NOT NULL,               -- of the look
    found_at        BIGINT NOT NULL,               -- of the first look that saw it, microseconds since 1970
    kind            TEXT COLLATE "C" NOT NULL,     -- 'slower' or 'mix'
    is_certain      BIGINT NOT NULL,
    before_ms       DOUBLE PRECISION NOT NULL,
    after_ms        DOUBLE PRECISION NOT NULL,
    sentence        TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (transaction_id, release)
);
CREATE INDEX findings_by_app ON findings (app_id, found_at);

-- Releases of all apps that were completed not long ago.
CREATE INDEX releases_by_completion ON releases (last_completed_at);
