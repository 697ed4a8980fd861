-- Data that agents dropped, by reason and by the minute in which they reported it.
ALTER TABLE losses RENAME TO drops;
ALTER TABLE drops RENAME COLUMN what TO reason;

-- Agents called whole bodies that the server rejected 'refused'. No row has the key 'rejected' yet.
UPDATE drops SET reason = 'rejected' WHERE reason = 'refused';
