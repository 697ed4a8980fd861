-- Whether a sample counts as failed, decided by `ResultClass` when the sample is stored.
ALTER TABLE samples ADD COLUMN failed INTEGER NOT NULL DEFAULT 0;

-- Samples stored before this column existed keep the class that they had until then.
UPDATE samples SET failed = 1
WHERE outcome IN ('server_error', 'panicked', 'timed_out', 'shed') OR result LIKE '5__';
