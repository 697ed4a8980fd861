-- Why the errors of a group belong together: a Grouping as JSON, or '' for groups of earlier versions.
ALTER TABLE error_groups ADD COLUMN grouping TEXT NOT NULL DEFAULT '';

-- Users of an application name an error by its id.
CREATE INDEX error_occurrences_by_client_supplied_id ON error_occurrences (client_supplied_id)
    WHERE client_supplied_id <> '';
