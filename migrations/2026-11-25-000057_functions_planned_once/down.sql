CREATE OR REPLACE FUNCTION why_unreachable(organization uuid, way text, payer text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT coalesce(
    (SELECT 'suppressed:' || s.reason FROM suppressions s
     WHERE s.organization_id = organization AND s.channel = way AND s.address IN (lower(payer), payer)
     ORDER BY s.id LIMIT 1),
    (SELECT 'suppressed:' || s.reason FROM shared_suppressions s
     WHERE s.channel = way AND s.address = lower(payer)),
    (SELECT CASE WHEN c.state = 'withdrawn' THEN 'withdrawn'
                 WHEN c.state IS NULL AND way = ANY (o.opt_in_channels) THEN 'no_opt_in' END
     FROM organizations o
     LEFT JOIN consents c ON c.organization_id = o.id AND c.channel = way AND c.address = lower(payer)
     WHERE o.id = organization))
$$;

CREATE OR REPLACE FUNCTION uuid7_floor(at timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT (lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0')
          || '00000000000000000000')::uuid
$$;
