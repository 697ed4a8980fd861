-- The number of sampled transactions that a self time is estimated from; 0 where it is exact.
ALTER TABLE breakdowns ADD COLUMN samples INTEGER NOT NULL DEFAULT 0;

-- The number of transactions that a sample is the average of; 0 for a single one.
ALTER TABLE samples ADD COLUMN average_of INTEGER NOT NULL DEFAULT 0;

-- Two call sites with one kind and signature have their own stacks. `site` is a digest of the transaction's name, the
-- ancestors, the signature and the kind. Stacks from before have the site 'kind signature', as their samples do.
CREATE TABLE stacks_by_site (
    app_id  TEXT NOT NULL REFERENCES apps (id),
    site    TEXT NOT NULL,
    frames  TEXT NOT NULL,              -- JSON array of frames, oldest call first
    PRIMARY KEY (app_id, site)
) STRICT, WITHOUT ROWID;
INSERT INTO stacks_by_site SELECT app_id, kind || ' ' || signature, frames FROM span_stacks
WHERE true ON CONFLICT DO NOTHING;
DROP TABLE span_stacks;
ALTER TABLE stacks_by_site RENAME TO span_stacks;
