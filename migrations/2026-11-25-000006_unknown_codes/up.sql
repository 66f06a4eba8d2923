-- Codes of failures that no table of Tinko knows, one row each time one is met:
-- appended, never counted up, so that no report waits for another's row.
CREATE TABLE unknown_codes (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  -- Who said it: codes are not one namespace.
  source text NOT NULL CHECK (source IN ('stripe', 'razorpay', 'api')),
  -- As what it was said: the PSP's code, its advice, the network's code or advice.
  signal text NOT NULL,
  code text NOT NULL,
  -- The words beside it, without what they said of the payer.
  message text,
  seen_at timestamptz NOT NULL
) PARTITION BY RANGE (id);
CREATE INDEX unknown_codes_newest ON unknown_codes (organization_id, id DESC);

INSERT INTO partitioned_tables (name, keep_months) VALUES ('unknown_codes', 6);
CREATE TABLE unknown_codes_default PARTITION OF unknown_codes DEFAULT;
SELECT ensure_partitions(now(), 3);
