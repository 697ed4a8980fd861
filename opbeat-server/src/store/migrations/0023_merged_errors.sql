-- A group can be merged into another one, which shows its errors and counts them too. Its own figures stay exact for a split.
ALTER TABLE error_groups ADD COLUMN merged_into INTEGER; -- the id of the group that shows it
CREATE INDEX error_groups_by_merged_into ON error_groups (merged_into) WHERE merged_into IS NOT NULL;
