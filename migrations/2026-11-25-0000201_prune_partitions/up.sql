-- Drops month partitions that are older than `months` months and than their table
-- has to keep; answers their names. The default partition stays, with whatever
-- waits in it.
CREATE FUNCTION prune_partitions(at timestamptz, months integer) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
  old record;
BEGIN
  -- As makers of partitions do: one at a time.
  PERFORM pg_advisory_xact_lock(hashtext('tinko.partitions'));
  FOR old IN
    SELECT part.relname::text AS name
    FROM partitioned_tables AS kept
    JOIN pg_inherits AS is_part ON is_part.inhparent = to_regclass(kept.name)
    JOIN pg_class AS part ON part.oid = is_part.inhrelid
    WHERE part.relname ~ ('^' || kept.name || '_[0-9]{4}_[0-9]{2}$')
      AND to_date(right(part.relname, 7), 'YYYY_MM')
          < date_trunc('month', at AT TIME ZONE 'UTC')
            - make_interval(months => greatest(months, kept.keep_months))
    ORDER BY part.relname
  LOOP
    EXECUTE format('DROP TABLE %I', old.name);
    RETURN NEXT old.name;
  END LOOP;
END
$$;
