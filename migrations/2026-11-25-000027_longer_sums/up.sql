-- Sums of longer stretches, so that a window of a year costs no more than one of a month
-- (docs/decisions/0034-sums-of-longer-stretches.md). They follow `rollups` by triggers, so
-- whichever release adds up or counts anew, they agree.
CREATE TABLE rollups_longer (
  organization_id uuid NOT NULL,
  dimension text NOT NULL,
  -- 4 hours; 4, 16 and 64 days. Each begins at a multiple of itself since 1970.
  span_minutes integer NOT NULL CHECK (span_minutes IN (240, 5760, 23040, 92160)),
  bucket timestamptz NOT NULL,
  currency text NOT NULL,
  measure text NOT NULL,
  key text NOT NULL,
  number bigint NOT NULL,
  minor bigint NOT NULL,
  PRIMARY KEY (organization_id, dimension, span_minutes, bucket, currency, measure, key)
    INCLUDE (number, minor)
) WITH (fillfactor = 80);

CREATE FUNCTION lengthen_rollups() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  changed rollups[];
BEGIN
  IF TG_OP <> 'DELETE' THEN
    changed := ARRAY (SELECT (organization_id, dimension, span_minutes, bucket, currency, measure, key,
                              number, minor)::rollups FROM added WHERE span_minutes <> 15);
  END IF;
  IF TG_OP <> 'INSERT' THEN
    changed := changed || ARRAY (SELECT (organization_id, dimension, span_minutes, bucket, currency, measure,
                                         key, -number, -minor)::rollups FROM gone WHERE span_minutes <> 15);
  END IF;
  INSERT INTO rollups_longer AS l (
    organization_id, dimension, span_minutes, bucket, currency, measure, key, number, minor)
  SELECT c.organization_id, c.dimension, s.minutes,
         date_bin(make_interval(mins => s.minutes), c.bucket, 'epoch'), c.currency, c.measure, c.key,
         sum(c.number)::bigint,
         greatest(least(sum(c.minor), 9223372036854775807), -9223372036854775807)::bigint
  FROM unnest(changed) AS c
  JOIN (VALUES (60, 240), (1440, 5760), (1440, 23040), (1440, 92160)) AS s (made_of, minutes)
    ON s.made_of = c.span_minutes
  GROUP BY 1, 2, 3, 4, 5, 6, 7
  HAVING sum(c.number) <> 0 OR sum(c.minor) <> 0
  -- In one order, so that two that change the same sums wait and do not lock each other out.
  ORDER BY 1, 2, 3, 4, 5, 6, 7
  ON CONFLICT (organization_id, dimension, span_minutes, bucket, currency, measure, key)
  DO UPDATE SET number = l.number + EXCLUDED.number,
    minor = greatest(least(l.minor::numeric + EXCLUDED.minor, 9223372036854775807), -9223372036854775807)::bigint;
  RETURN NULL;
END
$$;

-- From here on `rollups` cannot be changed by others until this commits, so none is missed.
CREATE TRIGGER lengthen_added AFTER INSERT ON rollups
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION lengthen_rollups();
CREATE TRIGGER lengthen_changed AFTER UPDATE ON rollups
  REFERENCING NEW TABLE AS added OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION lengthen_rollups();
CREATE TRIGGER lengthen_gone AFTER DELETE ON rollups
  REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION lengthen_rollups();

INSERT INTO rollups_longer (
  organization_id, dimension, span_minutes, bucket, currency, measure, key, number, minor)
SELECT r.organization_id, r.dimension, s.minutes,
       date_bin(make_interval(mins => s.minutes), r.bucket, 'epoch'), r.currency, r.measure, r.key,
       sum(r.number)::bigint, least(sum(r.minor), 9223372036854775807)::bigint
FROM rollups r
JOIN (VALUES (60, 240), (1440, 5760), (1440, 23040), (1440, 92160)) AS s (made_of, minutes)
  ON s.made_of = r.span_minutes
GROUP BY 1, 2, 3, 4, 5, 6, 7;
