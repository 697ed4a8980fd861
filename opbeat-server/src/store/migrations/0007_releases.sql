-- Releases, by revision, with the machines that they were completed on.
ALTER TABLE apps ADD COLUMN next_release_number INTEGER NOT NULL DEFAULT 1;

CREATE TABLE releases (
    id                  INTEGER PRIMARY KEY,
    app_id              TEXT NOT NULL REFERENCES apps (id),
    number              INTEGER NOT NULL,  -- shown as R#number
    rev                 TEXT NOT NULL,
    branch              TEXT NOT NULL,     -- '' where it is unknown
    status              TEXT NOT NULL,     -- 'completed', or 'machine-completed' until the whole release is completed
    first_completed_at  INTEGER NOT NULL,
    last_completed_at   INTEGER NOT NULL,
    UNIQUE (app_id, number),
    UNIQUE (app_id, rev)
) STRICT;
CREATE INDEX releases_by_time ON releases (app_id, last_completed_at);

CREATE TABLE release_machines (
    release_id    INTEGER NOT NULL REFERENCES releases (id),
    hostname      TEXT NOT NULL,
    completed_at  INTEGER NOT NULL,
    PRIMARY KEY (release_id, hostname)
) STRICT, WITHOUT ROWID;

-- Reports of what is installed on machines.
CREATE TABLE deployments (
    id               INTEGER PRIMARY KEY,
    app_id           TEXT NOT NULL REFERENCES apps (id),
    received_at      INTEGER NOT NULL,
    component_count  INTEGER NOT NULL,
    package_count    INTEGER NOT NULL,
    components       BLOB NOT NULL,        -- the first components, a JSON array in zlib
    document         BLOB NOT NULL         -- a DeploymentDocument, JSON in zlib
) STRICT;
CREATE INDEX deployments_by_time ON deployments (received_at);

-- The machines that a report is about: mostly one.
CREATE TABLE deployment_machines (
    app_id         TEXT NOT NULL REFERENCES apps (id),
    hostname       TEXT NOT NULL,
    received_at    INTEGER NOT NULL,
    deployment_id  INTEGER NOT NULL REFERENCES deployments (id),
    PRIMARY KEY (app_id, hostname, received_at, deployment_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX deployment_machines_by_deployment ON deployment_machines (deployment_id);

-- Origins of web pages, whose browsers may send data without a token: 'https://shop.example', 'https://*.shop.example'.
CREATE TABLE allowed_origins (
    app_id      TEXT NOT NULL REFERENCES apps (id),
    origin      TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (app_id, origin)
) STRICT, WITHOUT ROWID;
