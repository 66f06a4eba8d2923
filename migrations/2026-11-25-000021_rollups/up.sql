-- What analytics reads: sums, kept by the consumer of tinko:events.
--
-- An event is counted by appending rows to rollup_counts in the transaction that
-- settles it, which waits for nobody. One process at a time adds them up into
-- rollups and deletes them, in one transaction.

-- What was counted and is not added up yet. Dimensions that a measure is not
-- counted by are NULL.
CREATE TABLE rollup_counts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  organization_id uuid NOT NULL,
  measure text NOT NULL,
  at timestamptz NOT NULL,
  currency text NOT NULL,
  category text,
  code text,
  arm text,
  channel text,
  way text,
  speed text,
  number bigint NOT NULL,
  minor bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX rollup_counts_by_organization ON rollup_counts (organization_id, at);

-- The sums. A bucket is a stretch of UTC time of 15 minutes, an hour or a day:
-- every time zone in use is a multiple of 15 minutes from UTC, so any window of
-- local days is made of whole buckets, few of which are short.
CREATE TABLE rollups (
  organization_id uuid NOT NULL,
  dimension text NOT NULL CHECK (dimension IN ('all', 'category', 'code', 'arm', 'channel', 'way', 'speed')),
  span_minutes integer NOT NULL CHECK (span_minutes IN (15, 60, 1440)),
  bucket timestamptz NOT NULL,
  currency text NOT NULL,
  measure text NOT NULL,
  key text NOT NULL,
  number bigint NOT NULL,
  minor bigint NOT NULL,
  PRIMARY KEY (organization_id, dimension, span_minutes, bucket, currency, measure, key)
    INCLUDE (number, minor)
) WITH (fillfactor = 80);

-- What counts once for a recovery, however often it happens.
CREATE TABLE recovery_milestones (
  organization_id uuid NOT NULL,
  recovery_id uuid NOT NULL,
  contacted boolean NOT NULL DEFAULT false,
  visited boolean NOT NULL DEFAULT false,
  PRIMARY KEY (organization_id, recovery_id)
);

-- Events that were still owed when their time was counted anew from the rows:
-- what they say of that time has been counted.
CREATE TABLE rollup_skips (
  organization_id uuid NOT NULL,
  outbox_id uuid NOT NULL,
  from_at timestamptz NOT NULL,
  to_at timestamptz NOT NULL,
  PRIMARY KEY (organization_id, outbox_id, from_at)
);

-- A recovery as it is counted: by what it opened with, which no later report
-- changes. Its first failure was recorded in the transaction that opened it, so
-- their ids share a millisecond. A code is named where a table of ours knows it;
-- what merchants make up themselves is `other`, which keeps codes few.
CREATE VIEW rollup_recoveries AS
SELECT r.organization_id, r.id, r.state, r.opened_at, r.closed_at, r.currency, r.amount_minor,
       r.recovered_minor, r.recovered_by,
       coalesce(f.category, r.category) AS category,
       coalesce(lower(trim(CASE f.decided_by
         WHEN 'stripe_code' THEN f.code
         WHEN 'contract_code' THEN f.code
         WHEN 'upi_code' THEN f.code
         WHEN 'razorpay_reason' THEN f.code
         WHEN 'stripe_advice' THEN f.advice_code
         WHEN 'network_code' THEN coalesce(f.network_decline_code, f.code)
         WHEN 'visa_category' THEN coalesce(f.network_decline_code, f.code)
         WHEN 'mastercard_advice' THEN f.network_advice_code
       END)), 'other') AS code,
       r.experiment || '/' ||
         CASE WHEN r.hold_out THEN 'hold_out' ELSE coalesce(r.variant, '') END AS arm
FROM recoveries r
LEFT JOIN LATERAL (
  SELECT e.category, e.decided_by, e.code, e.advice_code, e.network_decline_code, e.network_advice_code
  FROM failure_events e
  WHERE e.organization_id = r.organization_id AND e.recovery_id = r.id
    AND e.id >= uuid7_floor(r.opened_at)
    AND e.id < uuid7_floor(r.opened_at + interval '1 millisecond')
  ORDER BY e.id LIMIT 1
) AS f ON true;
