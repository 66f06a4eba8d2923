-- In which order the timeline's entries committed, for those who follow it
-- (docs/decisions/0026-following-the-timeline.md). Rows from before have no xact:
-- they are history, and are followed by nobody. A default that is set after the
-- column was added touches no row that is there.
ALTER TABLE timeline ADD COLUMN xact xid8;
ALTER TABLE timeline ALTER COLUMN xact SET DEFAULT pg_current_xact_id();

-- A partitioned index cannot be made concurrently. So it is made on the parent
-- alone, from which new partitions take it, and on those that are still written
-- to: the current month's, where it has one month to look through and nothing to
-- hold yet, and the empty ones ahead.
CREATE INDEX timeline_by_commit ON ONLY timeline (organization_id, xact, id) WHERE xact IS NOT NULL;
DO $$
DECLARE
  part text;
BEGIN
  FOR part IN
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'timeline'::regclass
      AND (c.relname = 'timeline_default' OR c.relname >= 'timeline_' || to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM'))
  LOOP
    EXECUTE format('CREATE INDEX %I ON %I (organization_id, xact, id) WHERE xact IS NOT NULL',
      part || '_by_commit', part);
    EXECUTE format('ALTER INDEX timeline_by_commit ATTACH PARTITION %I', part || '_by_commit');
  END LOOP;
END
$$;
