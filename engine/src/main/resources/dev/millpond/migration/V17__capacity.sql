-- How fast a queue empties while jobs wait in it, as of summed_at (ADR 31); on one of its rows that sum others. Null
-- in rows that a process of an earlier version has summed.
ALTER TABLE millpond.queue_depth ADD COLUMN capacity double precision;
