-- Month partitions by UUIDv7 id. A UUIDv7 starts with its time of birth in
-- milliseconds (RFC 9562, 5.7), so a month is a plain range of ids and a look-up
-- by id touches one partition.

-- The smallest UUIDv7 that can be born at `at`.
CREATE FUNCTION uuid7_floor(at timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT (lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0')
          || '00000000000000000000')::uuid
$$;

-- Which tables are partitioned, and for how many months their rows are kept.
CREATE TABLE partitioned_tables (
  name text PRIMARY KEY,
  keep_months integer NOT NULL DEFAULT 36 CHECK (keep_months BETWEEN 2 AND 240)
);

-- Makes the month's partition of one table; true if it was not there.
-- Rows that had to wait in the default partition move along.
CREATE FUNCTION ensure_partition(parent text, month date) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  first_day date := date_trunc('month', month)::date;
  part text := parent || '_' || to_char(first_day, 'YYYY_MM');
  low uuid := uuid7_floor(first_day::timestamp AT TIME ZONE 'UTC');
  high uuid := uuid7_floor((first_day + interval '1 month') AT TIME ZONE 'UTC');
BEGIN
  -- One maker at a time; the lock ends with the transaction, so it is safe
  -- behind a pooler in transaction mode.
  PERFORM pg_advisory_xact_lock(hashtext('tinko.partitions'));
  IF to_regclass(part) IS NOT NULL THEN
    RETURN false;
  END IF;
  EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part, parent);
  EXECUTE format(
    'WITH moved AS (DELETE FROM %I WHERE id >= %L AND id < %L RETURNING *) INSERT INTO %I SELECT * FROM moved',
    parent || '_default', low, high, part);
  EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
    parent, part, low, high);
  RETURN true;
END
$$;

-- Makes every missing partition from the month of `at` to `months_ahead` later;
-- answers the names made.
CREATE FUNCTION ensure_partitions(at timestamptz, months_ahead integer) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
  table_name text;
  month date;
BEGIN
  FOR table_name IN SELECT name FROM partitioned_tables ORDER BY name LOOP
    FOR i IN 0..months_ahead LOOP
      month := (date_trunc('month', at AT TIME ZONE 'UTC') + make_interval(months => i))::date;
      IF ensure_partition(table_name, month) THEN
        RETURN NEXT table_name || '_' || to_char(month, 'YYYY_MM');
      END IF;
    END LOOP;
  END LOOP;
END
$$;

-- The partitions that ought to be there from the month of `at` to `months_ahead`
-- later and are not: what readiness reports.
CREATE FUNCTION missing_partitions(at timestamptz, months_ahead integer) RETURNS SETOF text
LANGUAGE sql STABLE AS $$
  SELECT part
  FROM partitioned_tables,
       generate_series(0, months_ahead) AS ahead,
       LATERAL (SELECT name || '_' || to_char(
         date_trunc('month', at AT TIME ZONE 'UTC') + make_interval(months => ahead), 'YYYY_MM') AS part) AS named
  WHERE to_regclass(part) IS NULL
  ORDER BY part
$$;
