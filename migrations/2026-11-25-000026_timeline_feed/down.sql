DROP INDEX timeline_by_commit;
ALTER TABLE timeline DROP COLUMN xact;
