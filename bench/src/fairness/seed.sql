-- So many recoveries of an organization, each with a message that is due. In braces is what the
-- bench puts in: how many, the organization's id, the word that tells them apart, the time of now.
WITH born AS MATERIALIZED (
  SELECT n, left(uuid7_floor({now} - interval '1 minute')::text, 14) || '7' AS stem,
         right(gen_random_uuid()::text, 16) AS tail
  FROM generate_series(1, {number}) AS n
), ids AS MATERIALIZED (
  SELECT n, (stem || '001-8' || tail)::uuid AS transaction, (stem || '002-8' || tail)::uuid AS recovery,
         (stem || '003-8' || tail)::uuid AS failure, (stem || '004-8' || tail)::uuid AS attempt
  FROM born
), owed AS (
  INSERT INTO transactions (id, organization_id, transaction_ref, amount_minor, currency, payer_email, created_at, updated_at)
  SELECT transaction, '{organization}', '{word}-' || n, 129900, 'INR', '{word}-' || n || '@fair.example', {now}, {now} FROM ids
), opened AS (
  INSERT INTO recoveries (id, organization_id, transaction_id, state, amount_minor, currency, category, hardness,
    policy_id, planned_steps, opened_at, closes_at, updated_at)
  SELECT recovery, '{organization}', transaction, 'open', 129900, 'INR', 'insufficient_funds', 'soft',
    (SELECT id FROM retry_policies WHERE organization_id = '{organization}' AND is_active), 1,
    {now} - interval '1 minute', {now} + interval '1 day', {now} FROM ids
), failed AS (
  INSERT INTO failure_events (id, organization_id, transaction_id, recovery_id, source, reason, code, category,
    hardness, decided_by, occurred_at, created_at)
  SELECT failure, '{organization}', transaction, recovery, 'api', 'insufficient_funds', 'insufficient_funds',
    'insufficient_funds', 'soft', 'contract_code', {now}, {now} FROM ids
)
INSERT INTO attempts (id, organization_id, recovery_id, number, kind, state, channels, why, due_at, created_at, updated_at)
SELECT attempt, '{organization}', recovery, 1, 'message', 'scheduled', '{email}', 'seeded', {now}, {now}, {now} FROM ids
