-- The distribution of the times to the response head; NULL where they count as equal to the durations.
ALTER TABLE rollups ADD COLUMN head_sketch BLOB;
