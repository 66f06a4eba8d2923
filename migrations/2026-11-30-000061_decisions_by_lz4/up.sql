-- A record is 2 kB, just long enough to be compressed as it is written, once or twice for each plan. lz4 takes a third of pglz's time
-- for it. A Postgres that was built without lz4 stays with pglz. Partitions do not follow their table in this, but new ones do.
DO $$
DECLARE part regclass;
BEGIN
  FOR part IN SELECT 'decisions'::regclass
              UNION ALL SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'decisions'::regclass LOOP
    EXECUTE format('ALTER TABLE %s ALTER COLUMN record SET COMPRESSION lz4', part);
  END LOOP;
EXCEPTION WHEN feature_not_supported THEN
  RAISE NOTICE 'this Postgres has no lz4';
END
$$;
