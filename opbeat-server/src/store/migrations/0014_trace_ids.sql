-- The distributed trace of a sample, in hexadecimal, or ''. Samples of one trace are shown in one waterfall.
ALTER TABLE samples ADD COLUMN trace_id TEXT NOT NULL DEFAULT '';
CREATE INDEX samples_by_trace ON samples (trace_id) WHERE trace_id <> '';
