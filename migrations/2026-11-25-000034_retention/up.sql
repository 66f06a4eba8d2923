-- Old months are detached first, under a lock of a moment, and dropped afterwards,
-- when nobody reads them any more.

-- What a table is about: how long it is kept is one setting for all of a kind. Kind
-- `rules` is what rules look back for, whose months are their own.
ALTER TABLE partitioned_tables ADD COLUMN kind text NOT NULL DEFAULT 'history'
  CHECK (kind IN ('history', 'psp_events', 'partners', 'audit', 'rules'));
UPDATE partitioned_tables SET kind = 'psp_events' WHERE name = 'psp_events';
UPDATE partitioned_tables SET kind = 'partners' WHERE name LIKE 'partner%';
UPDATE partitioned_tables SET kind = 'audit' WHERE name = 'audit_log';
UPDATE partitioned_tables SET kind = 'rules' WHERE name IN ('card_tries', 'unknown_codes');

-- What was detached, and when it was dropped.
CREATE TABLE retired_partitions (
  name text PRIMARY KEY,
  parent text NOT NULL,
  detached_at timestamptz NOT NULL,
  dropped_at timestamptz
);
CREATE INDEX retired_partitions_to_drop ON retired_partitions (name) WHERE dropped_at IS NULL;

-- Whether something that is not over yet has a row in the partition of `month`.
CREATE FUNCTION partition_in_use(parent text, part text, month date) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
  high uuid := uuid7_floor((month + interval '1 month') AT TIME ZONE 'UTC');
  in_use boolean;
BEGIN
  IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass(part)
             AND attname = 'recovery_id' AND NOT attisdropped) THEN
    -- A recovery is older than the rows about it.
    EXECUTE format(
      'SELECT EXISTS (SELECT FROM recoveries AS r WHERE r.state = ''open'' AND r.id < $1
         AND EXISTS (SELECT FROM %I AS p WHERE p.recovery_id = r.id))', part)
      INTO in_use USING high;
    IF in_use THEN RETURN true; END IF;
  END IF;
  IF parent = 'attempts' THEN
    -- A charge in doubt may outlive its recovery.
    EXECUTE format('SELECT EXISTS (SELECT FROM open_charges AS o JOIN %I AS p ON p.id = o.attempt_id)', part)
      INTO in_use;
    RETURN in_use;
  ELSIF parent = 'partner_deliveries' THEN
    EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE state IN (''pending'', ''sending''))', part)
      INTO in_use;
    RETURN in_use;
  END IF;
  RETURN false;
END
$$;

-- Detaches the oldest month partition of a table of `kind` that is older than so many
-- whole months and that nothing under way has rows in; answers its name.
CREATE FUNCTION detach_old_partition(at timestamptz, of_kind text, months integer) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  old record;
BEGIN
  -- As makers of partitions do: one at a time.
  PERFORM pg_advisory_xact_lock(hashtext('tinko.partitions'));
  FOR old IN
    SELECT kept.name AS parent, part.relname::text AS name, its.month
    FROM partitioned_tables AS kept
    JOIN pg_inherits AS is_part ON is_part.inhparent = to_regclass(kept.name)
    JOIN pg_class AS part ON part.oid = is_part.inhrelid
    -- The default partition has no month; conditions may be looked at in any order.
    CROSS JOIN LATERAL (SELECT CASE
      WHEN part.relname ~ ('^' || kept.name || '_[0-9]{4}_[0-9]{2}$')
      THEN to_date(right(part.relname, 7), 'YYYY_MM') END AS month) AS its
    WHERE kept.kind = of_kind
      AND its.month < date_trunc('month', at AT TIME ZONE 'UTC')
                      - make_interval(months => coalesce(months, kept.keep_months))
    ORDER BY 3, 2
  LOOP
    CONTINUE WHEN partition_in_use(old.parent, old.name, old.month);
    -- CONCURRENTLY is not to be had beside a default partition.
    EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', old.parent, old.name);
    INSERT INTO retired_partitions (name, parent, detached_at) VALUES (old.name, old.parent, at)
    ON CONFLICT (name) DO UPDATE SET detached_at = excluded.detached_at, dropped_at = NULL;
    RETURN old.name;
  END LOOP;
  RETURN NULL;
END
$$;

-- Drops one partition that was detached; answers its name.
CREATE FUNCTION drop_retired_partition(at timestamptz) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  retired text;
BEGIN
  SELECT name INTO retired FROM retired_partitions
  WHERE dropped_at IS NULL ORDER BY name LIMIT 1 FOR UPDATE SKIP LOCKED;
  IF retired IS NULL THEN
    RETURN NULL;
  END IF;
  -- One that was attached again by hand is somebody's wish.
  IF EXISTS (SELECT FROM pg_class WHERE oid = to_regclass(retired) AND NOT relispartition) THEN
    EXECUTE format('DROP TABLE %I', retired);
  END IF;
  UPDATE retired_partitions SET dropped_at = at WHERE name = retired;
  RETURN retired;
END
$$;

-- Makes the partitions of months past, as far back as `months_back`, whose rows had to
-- go to the default partition while nobody made any; answers their names. A month
-- further off is a clock that is wrong, and is left for people to look at.
CREATE FUNCTION ensure_missed_partitions(at timestamptz, months_back integer) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
  parent text;
  month date;
  waits boolean;
BEGIN
  FOR parent IN SELECT name FROM partitioned_tables ORDER BY name LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM %I)', parent || '_default') INTO waits;
    CONTINUE WHEN NOT waits;
    FOR i IN 1..months_back LOOP
      month := (date_trunc('month', at AT TIME ZONE 'UTC') - make_interval(months => i))::date;
      EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE id >= $1 AND id < $2)', parent || '_default')
        INTO waits
        USING uuid7_floor(month::timestamp AT TIME ZONE 'UTC'),
              uuid7_floor((month + interval '1 month') AT TIME ZONE 'UTC');
      IF waits AND ensure_partition(parent, month) THEN
        RETURN NEXT parent || '_' || to_char(month, 'YYYY_MM');
      END IF;
    END LOOP;
  END LOOP;
END
$$;
