-- A year of one organization, or of several: what was owed, why it failed, and what became of it.
-- Every row follows from its number, so that tables can be written at the same time. In braces is
-- what the bench puts in: the first and the last number, the organization's id (by n where there
-- are several), the time of now, and a word that tells the transactions apart.

-- plan
CREATE UNLOGGED TABLE {plan} AS
SELECT p.*,
       stem || '7001-8000-' || tail AS transaction, stem || '7002-8000-' || tail AS recovery,
       stem || '7003-8000-' || tail AS failure, stem || '7004-8000-' || tail AS link,
       later_stem || '7005-8000-' || tail AS later_id,
       CASE WHEN recovered THEN 'recovered' WHEN n % 10 < 6 THEN 'exhausted'
            WHEN n % 10 < 7 THEN 'expired' WHEN n % 10 < 8 THEN 'cancelled' ELSE 'exhausted' END AS ended
FROM (
  SELECT n, at, organization, later, currency, minor, category, code, failed, recovered,
         failed AND n > {open_from} AND NOT recovered AS open,
         (ARRAY['email', 'sms', 'whatsapp'])[1 + (CASE n % 10 WHEN 7 THEN 1 WHEN 8 THEN 1 WHEN 9 THEN 2 ELSE 0 END)] AS channel,
         left(uuid7_floor(at)::text, 14) AS stem, left(uuid7_floor(later)::text, 14) AS later_stem,
         lpad(to_hex({salt} + n), 12, '0') AS tail
  FROM (
    SELECT n, {organization}::uuid AS organization, at,
           least(at + make_interval(secs => 60 + (n * 7907) % 600000), {now}) AS later,
           CASE WHEN n % 10 < 7 THEN 'INR' ELSE 'USD' END AS currency,
           1000 + (n * 7919) % 900000 AS minor,
           -- Codes are met unevenly: the first few most of the time.
           (ARRAY['insufficient_funds', 'issuer_decline', 'expired_card', 'network', 'authentication_required',
                  'limit_exceeded', 'processing_error', 'upi_pending', 'upi_declined', 'invalid_details',
                  'do_not_retry', 'unknown'])[1 + code_number % 12] AS category,
           (ARRAY['insufficient_funds', 'do_not_honor', 'expired_card', 'network_error', 'authentication_required',
                  'card_velocity_exceeded', 'processing_error', 'upi_pending', 'generic_decline', 'incorrect_cvc',
                  'stolen_card', 'other', 'issuer_not_available', 'withdrawal_count_limit_exceeded',
                  'transaction_not_allowed', 'try_again_later', 'card_not_supported', 'invalid_account',
                  'lost_card', 'pickup_card', 'restricted_card', 'service_not_allowed', 'currency_not_supported',
                  'incorrect_number', 'invalid_expiry_year', 'reenter_transaction', 'security_violation',
                  'stop_payment_order', 'fraudulent', 'approve_with_id'])[1 + code_number] AS code,
           n % 10 <> 9 AS failed, n % 20 < 7 AND n % 10 <> 9 AS recovered
    FROM (
      SELECT n, {now} - interval '365 days' * (1 - n::float8 / {last}) AS at,
             (CASE WHEN n % 3 < 2 THEN (n / 3) % 8 ELSE (n / 3) % 30 END)::integer AS code_number
      FROM generate_series({first}::bigint, {last}::bigint) AS n
    ) AS born
  ) AS what
) AS p;
ANALYZE {plan}

-- table
INSERT INTO transactions (id, organization_id, transaction_ref, amount_minor, currency, connection_id, payment_ref,
  payment_kind, network, payer_email, payer_phone, payer_name, metadata, created_at, updated_at)
SELECT transaction::uuid, organization, '{word}-' || n, minor, currency, {connection}, 'pi_' || tail, 'card',
  CASE WHEN n % 2 = 0 THEN 'visa' ELSE 'mastercard' END,
  'payer' || n % 200000 || '@example.com', '+9198' || lpad((n % 200000)::text, 8, '0'), 'Asha Rao',
  '{"plan": "monthly"}', at, later FROM {plan}

-- table
INSERT INTO recoveries (id, organization_id, transaction_id, state, amount_minor, currency, category, hardness,
  planned_steps, plan_done, opened_at, closes_at, closed_at, end_reason, recovered_minor, recovered_by, updated_at)
SELECT recovery::uuid, organization, transaction::uuid, CASE WHEN open THEN 'open' ELSE ended END, minor, currency,
  category, CASE WHEN n % 5 = 0 THEN 'hard' ELSE 'soft' END, 2, NOT open, at, at + interval '30 days',
  CASE WHEN NOT open THEN later END, CASE WHEN NOT open THEN 'seeded' END,
  CASE WHEN recovered THEN minor END,
  CASE WHEN recovered THEN (ARRAY['charge', 'link', 'elsewhere'])[1 + n % 3] END, later
FROM {plan} WHERE failed

-- table
INSERT INTO failure_events (id, organization_id, transaction_id, recovery_id, source, gateway, reason, code, category,
  hardness, decided_by, occurred_at, created_at)
SELECT failure::uuid, organization, transaction::uuid, recovery::uuid, 'stripe', 'stripe', code, code, category, 'soft',
  'stripe_code', at, at FROM {plan} WHERE failed

-- table
INSERT INTO attempts (id, organization_id, recovery_id, number, kind, state, channels, why, due_at, charge_ref,
  outcome_code, created_at, updated_at)
SELECT (CASE k.number WHEN 1 THEN stem ELSE later_stem END || '710' || k.number || '-8000-' || tail)::uuid,
  organization, recovery::uuid, k.number,
  k.kind, CASE WHEN open AND k.number = 2 THEN 'scheduled' WHEN k.kind = 'message' OR (recovered AND n % 3 = 0)
    THEN 'succeeded' ELSE 'declined' END,
  CASE k.kind WHEN 'message' THEN ARRAY[channel] ELSE '{}' END, 'seeded',
  CASE WHEN open AND k.number = 2 THEN {now} + make_interval(secs => 86400 + n % 2000000) ELSE later END,
  CASE k.kind WHEN 'charge' THEN 'ch_' || tail END, CASE k.kind WHEN 'charge' THEN code END, at, later
FROM {plan} CROSS JOIN (VALUES (1, 'message'), (2, 'charge')) AS k (number, kind)
WHERE failed AND (k.number = 1 OR open OR n % 3 = 0)

-- table
INSERT INTO recovery_links (id, organization_id, recovery_id, attempt_id, token_hash, state, channel, expires_at,
  opened_at, used_at, created_at)
SELECT link::uuid, organization, recovery::uuid, (stem || '7101-8000-' || tail)::uuid, sha256(tail::bytea),
  CASE WHEN recovered AND n % 3 = 1 THEN 'used' WHEN open AND at > {now} - interval '1 day' THEN 'created'
       WHEN open THEN 'expired' ELSE 'revoked' END,
  channel, at + interval '1 day', CASE WHEN n % 2 = 0 OR recovered THEN later END,
  CASE WHEN recovered AND n % 3 = 1 THEN later END, at FROM {plan} WHERE failed

-- table
INSERT INTO notifications (id, organization_id, recovery_id, attempt_id, link_id, channel, address, state, tries,
  language, provider, provider_message_id, sent_at, delivered_at, failed_at, created_at, updated_at)
SELECT (stem || '7006-8000-' || tail)::uuid, organization, recovery::uuid, (stem || '7101-8000-' || tail)::uuid,
  link::uuid, channel,
  CASE channel WHEN 'email' THEN 'payer' || n % 200000 || '@example.com'
    ELSE '+9198' || lpad((n % 200000)::text, 8, '0') END,
  CASE WHEN n % 50 = 0 THEN 'bounced' WHEN n % 5 = 0 THEN 'sent' ELSE 'delivered' END, 1, 'en',
  CASE channel WHEN 'email' THEN 'smtp' ELSE 'twilio' END, 'm' || tail, at,
  CASE WHEN n % 5 <> 0 THEN at END, CASE WHEN n % 50 = 0 THEN at END, at, later FROM {plan} WHERE failed

-- table
INSERT INTO timeline (id, organization_id, recovery_id, at, kind, actor, why, detail)
SELECT (left(uuid7_floor(k.at)::text, 14) || '720' || k.number || '-8000-' || tail)::uuid, organization,
  recovery::uuid, k.at, k.kind, 'bench', 'seeded', k.detail
FROM {plan} CROSS JOIN LATERAL (VALUES
  (1, true, at, 'message.sent', jsonb_build_object('channel', channel)),
  (2, n % 5 <> 0, later, 'message.delivered', jsonb_build_object('channel', channel)),
  (3, n % 2 = 0 OR recovered, later, 'link.opened', jsonb_build_object('channel', channel)),
  (4, n % 3 = 0 AND NOT open, later, CASE WHEN recovered THEN 'attempt.succeeded' ELSE 'attempt.declined' END, '{}'),
  (5, NOT open, later, 'recovery.' || ended, '{}')) AS k (number, holds, at, kind, detail)
WHERE failed AND k.holds

-- table
INSERT INTO partner_deliveries (id, organization_id, endpoint_id, event_id, event_type, cause, state, due_at, tries,
  last_status, finished_at, created_at, updated_at)
SELECT (stem || '7007-8000-' || tail)::uuid, organization, {endpoint}, later_id::uuid, 'recovery.opened', 'event',
  CASE WHEN n % 100 = 0 THEN 'failed' ELSE 'delivered' END, at, 1, CASE WHEN n % 100 = 0 THEN 500 ELSE 200 END,
  at, at, at FROM {plan} WHERE failed AND {endpoint} IS NOT NULL

-- table
INSERT INTO audit_log (id, organization_id, at, actor, action, object, detail)
SELECT (stem || '7008-8000-' || tail)::uuid, organization, at, 'bench', 'recovery.cancel', recovery, '{}'
FROM {plan} WHERE n % 10 = 0

-- table
INSERT INTO suppressions (id, organization_id, channel, address, reason, created_at)
SELECT (stem || '7009-8000-' || tail)::uuid, organization, 'email', 'gone' || n || '@example.com', 'hard_bounce', at
FROM {plan} WHERE n % 10 = 0

-- table
INSERT INTO consents (id, organization_id, channel, address, state, source, at, updated_at)
SELECT (stem || '700a-8000-' || tail)::uuid, organization, 'whatsapp', '+9197' || lpad(n::text, 8, '0'), 'granted',
  'checkout', at, at FROM {plan} WHERE n % 10 = 0

-- sums
CREATE UNLOGGED TABLE {plan}_sums AS
SELECT measure, date_bin('15 minutes', k.at, '2000-01-01 00:00:00+00') AS bucket, currency, k.category, k.code,
       CASE WHEN by_channel THEN channel END AS channel, way, speed, count(*) AS number, sum(k.minor)::bigint AS minor
FROM {plan} p CROSS JOIN LATERAL (VALUES
  ('opened', p.at, p.minor, p.category, p.code, false, NULL, NULL, true),
  ('contacted', p.at, p.minor, p.category, p.code, false, NULL, NULL, true),
  ('visited', p.at, p.minor, p.category, p.code, false, NULL, NULL, n % 2 = 0 OR recovered),
  ('won', p.at, p.minor, p.category, p.code, false, NULL, NULL, recovered),
  ('ended', p.at, p.minor, p.category, p.code, false, NULL, NULL, NOT open AND NOT recovered),
  ('recovered', later, p.minor, NULL, NULL, n % 3 = 1, (ARRAY['charge', 'link', 'elsewhere'])[1 + n % 3],
    width_bucket(floor(extract(epoch FROM later - at))::bigint, ARRAY[{speeds}]::bigint[])::text, recovered),
  ('charge_succeeded', later, 0, NULL, NULL, false, NULL, NULL, n % 3 = 0 AND recovered),
  ('charge_declined', later, 0, NULL, NULL, false, NULL, NULL, n % 3 = 0 AND NOT open AND NOT recovered),
  ('sent', at, 0, NULL, NULL, true, NULL, NULL, true),
  ('delivered', later, 0, NULL, NULL, true, NULL, NULL, n % 5 <> 0),
  ('visits', later, 0, NULL, NULL, true, NULL, NULL, n % 2 = 0 OR recovered))
  AS k (measure, at, minor, category, code, by_channel, way, speed, holds)
WHERE failed AND k.holds
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8

-- rollups
INSERT INTO rollups (organization_id, dimension, span_minutes, bucket, currency, measure, key, number, minor)
SELECT {organization}::uuid, d.dimension, 15, bucket, currency, measure, d.key, sum(number)::bigint, sum(minor)::bigint
FROM {plan}_sums CROSS JOIN LATERAL (VALUES ('all', ''), ('category', category), ('code', code),
  ('channel', channel), ('way', way), ('speed', speed)) AS d (dimension, key)
WHERE d.key IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7

-- rollups
INSERT INTO rollups (organization_id, dimension, span_minutes, bucket, currency, measure, key, number, minor)
SELECT organization_id, dimension, 60, date_bin('60 minutes', bucket, '2000-01-01 00:00:00+00'), currency, measure,
  key, sum(number)::bigint, sum(minor)::bigint
FROM rollups WHERE span_minutes = 15 AND organization_id = {organization}::uuid GROUP BY 1, 2, 3, 4, 5, 6, 7

-- rollups
INSERT INTO rollups (organization_id, dimension, span_minutes, bucket, currency, measure, key, number, minor)
SELECT organization_id, dimension, 1440, date_bin('1440 minutes', bucket, '2000-01-01 00:00:00+00'), currency,
  measure, key, sum(number)::bigint, sum(minor)::bigint
FROM rollups WHERE span_minutes = 60 AND organization_id = {organization}::uuid GROUP BY 1, 2, 3, 4, 5, 6, 7

-- longer rollups, which triggers make otherwise
INSERT INTO rollups_longer (organization_id, dimension, span_minutes, bucket, currency, measure, key, number, minor)
SELECT r.organization_id, r.dimension, s.minutes, date_bin(make_interval(mins => s.minutes), r.bucket, 'epoch'),
  r.currency, r.measure, r.key, sum(r.number)::bigint, sum(r.minor)::bigint
FROM rollups r JOIN (VALUES (60, 240), (1440, 5760), (1440, 23040), (1440, 92160)) AS s (made_of, minutes)
  ON s.made_of = r.span_minutes
WHERE r.organization_id = {organization}::uuid GROUP BY 1, 2, 3, 4, 5, 6, 7

-- end
DROP TABLE {plan}_sums
