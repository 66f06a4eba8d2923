-- What failed, and what is done about it.

-- What a payer owed.
CREATE TABLE transactions (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organizations (id),
  transaction_ref text NOT NULL CHECK (length(transaction_ref) BETWEEN 1 AND 64),
  amount_minor bigint NOT NULL CHECK (amount_minor BETWEEN 1 AND 999999999999),
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  connection_id uuid REFERENCES psp_connections (id),
  -- The merchant's own payment at the PSP, and the means saved with it.
  payment_ref text,
  saved_customer text,
  saved_payment_method text,
  payment_kind text,
  network text,
  payer_email text,
  payer_phone text,
  payer_name text,
  payer_locale text,
  payer_time_zone text,
  metadata jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  UNIQUE (organization_id, transaction_ref)
);

-- Which objects at a PSP belong to which transaction: intents, orders, sessions, links.
CREATE TABLE psp_objects (
  organization_id uuid NOT NULL,
  provider text NOT NULL,
  object_id text NOT NULL,
  transaction_id uuid NOT NULL REFERENCES transactions (id),
  PRIMARY KEY (organization_id, provider, object_id)
);

-- The effort to win one transaction back.
CREATE TABLE recoveries (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organizations (id),
  transaction_id uuid NOT NULL REFERENCES transactions (id),
  state text NOT NULL CHECK (state IN ('open', 'recovered', 'exhausted', 'cancelled', 'expired')),
  amount_minor bigint NOT NULL CHECK (amount_minor > 0),
  currency text NOT NULL,
  category text NOT NULL,
  hardness text NOT NULL CHECK (hardness IN ('soft', 'hard')),
  policy_id uuid REFERENCES retry_policies (id),
  -- The number of the last step planned: planning moves it by one under a guard,
  -- so that two planners make one step.
  planned_steps integer NOT NULL DEFAULT 0 CHECK (planned_steps >= 0),
  -- Whether no step is left to plan: then what remains is the payer's time.
  plan_done boolean NOT NULL DEFAULT false,
  opened_at timestamptz NOT NULL,
  -- When the payer's time to pay is over; the housekeeper closes it then.
  closes_at timestamptz NOT NULL,
  closed_at timestamptz,
  end_reason text,
  recovered_minor bigint CHECK (recovered_minor > 0),
  recovered_by text CHECK (recovered_by IN ('charge', 'link', 'elsewhere')),
  traceparent text,
  updated_at timestamptz NOT NULL,
  CONSTRAINT open_has_no_end CHECK ((state = 'open') = (closed_at IS NULL)),
  CONSTRAINT recovered_says_how CHECK ((state = 'recovered') = (recovered_minor IS NOT NULL)
                                   AND (state = 'recovered') = (recovered_by IS NOT NULL))
);
CREATE UNIQUE INDEX one_open_recovery ON recoveries (organization_id, transaction_id) WHERE state = 'open';
CREATE INDEX recoveries_by_transaction ON recoveries (organization_id, transaction_id);
CREATE INDEX recoveries_newest ON recoveries (organization_id, id DESC);
CREATE INDEX recoveries_to_close ON recoveries (closes_at) WHERE state = 'open';

-- One report that a payment failed. Immutable.
CREATE TABLE failure_events (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  transaction_id uuid NOT NULL,
  recovery_id uuid NOT NULL,
  source text NOT NULL CHECK (source IN ('stripe', 'razorpay', 'api')),
  gateway text,
  reason text NOT NULL,
  code text,
  advice_code text,
  network_decline_code text,
  network_advice_code text,
  message text,
  category text NOT NULL,
  hardness text NOT NULL,
  decided_by text NOT NULL,
  metadata jsonb NOT NULL DEFAULT '{}',
  occurred_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL
) PARTITION BY RANGE (id);
CREATE INDEX failure_events_by_transaction ON failure_events (transaction_id);
CREATE INDEX failure_events_by_recovery ON failure_events (recovery_id);

-- What makes two reports the same failure: the PSP's charge, else its event.
-- Apart from the partitions, since a key over them must carry the id.
CREATE TABLE failure_keys (
  organization_id uuid NOT NULL,
  source text NOT NULL,
  key text NOT NULL,
  failure_event_id uuid NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (organization_id, source, key)
);

-- One step of a recovery.
CREATE TABLE attempts (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  recovery_id uuid NOT NULL,
  number integer NOT NULL CHECK (number > 0),
  kind text NOT NULL CHECK (kind IN ('charge', 'message')),
  state text NOT NULL CHECK (state IN ('scheduled', 'claimed', 'succeeded', 'declined', 'in_doubt', 'cancelled')),
  channels text[] NOT NULL DEFAULT '{}',
  why text NOT NULL,
  due_at timestamptz NOT NULL,
  -- Who acts on it, and until when that is believed.
  claimed_by uuid,
  lease_until timestamptz,
  claims integer NOT NULL DEFAULT 0,
  -- What became of a charge.
  charge_ref text,
  category text,
  hardness text,
  outcome_code text,
  outcome text,
  traceparent text,
  tracestate text,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CONSTRAINT a_claim_has_a_lease CHECK (state <> 'claimed' OR (claimed_by IS NOT NULL AND lease_until IS NOT NULL)),
  CONSTRAINT messages_have_channels CHECK (kind <> 'message' OR cardinality(channels) > 0)
) PARTITION BY RANGE (id);
CREATE INDEX attempts_by_recovery ON attempts (recovery_id);
-- The scheduler's index: its size is what waits, not what was ever done.
CREATE INDEX attempts_due ON attempts (organization_id, due_at) WHERE state = 'scheduled';
CREATE INDEX attempts_next ON attempts (due_at) WHERE state = 'scheduled';
CREATE INDEX attempts_leased ON attempts (lease_until) WHERE state IN ('claimed', 'in_doubt');

-- The charge of a recovery that is under way or in doubt: one at most, which a
-- partial unique index over partitions could not promise.
CREATE TABLE open_charges (
  recovery_id uuid PRIMARY KEY REFERENCES recoveries (id),
  organization_id uuid NOT NULL,
  attempt_id uuid NOT NULL UNIQUE,
  opened_at timestamptz NOT NULL
);

-- A payer's way to pay without logging in; the token is stored hashed.
CREATE TABLE recovery_links (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  recovery_id uuid NOT NULL REFERENCES recoveries (id),
  attempt_id uuid,
  token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
  state text NOT NULL CHECK (state IN ('created', 'opened', 'used', 'expired', 'revoked')),
  channel text NOT NULL,
  expires_at timestamptz NOT NULL,
  opened_at timestamptz,
  used_at timestamptz,
  created_at timestamptz NOT NULL,
  CONSTRAINT at_most_thirty_days CHECK (expires_at <= created_at + interval '30 days')
);
CREATE INDEX recovery_links_by_recovery ON recovery_links (recovery_id);

-- A payer's visit to a PSP's hosted checkout; one live at a time for a recovery,
-- so that a payer with two tabs cannot pay twice.
CREATE TABLE checkouts (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  recovery_id uuid NOT NULL REFERENCES recoveries (id),
  link_id uuid NOT NULL REFERENCES recovery_links (id),
  connection_id uuid NOT NULL REFERENCES psp_connections (id),
  provider text NOT NULL,
  state text NOT NULL CHECK (state IN ('creating', 'open', 'paid', 'expired', 'closed')),
  reference text,
  url text,
  expires_at timestamptz NOT NULL,
  -- When the PSP said that nobody can pay there any more.
  gone_at_psp timestamptz,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  UNIQUE (organization_id, provider, reference),
  CONSTRAINT open_has_an_address CHECK (state NOT IN ('open', 'paid') OR (reference IS NOT NULL AND url IS NOT NULL))
);
CREATE INDEX checkouts_to_close_at_psp ON checkouts (updated_at) WHERE state = 'closed' AND gone_at_psp IS NULL;
CREATE UNIQUE INDEX one_live_checkout ON checkouts (organization_id, recovery_id) WHERE state IN ('creating', 'open');

-- One message on one channel.
CREATE TABLE notifications (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  recovery_id uuid NOT NULL,
  attempt_id uuid NOT NULL,
  link_id uuid NOT NULL,
  channel text NOT NULL CHECK (channel IN ('email', 'sms', 'whatsapp')),
  address text NOT NULL,
  state text NOT NULL CHECK (state IN ('queued', 'handing_over', 'sent', 'delivered', 'bounced', 'failed', 'unconfirmed', 'withdrawn')),
  claimed_by uuid,
  lease_until timestamptz,
  tries integer NOT NULL DEFAULT 0,
  next_try_at timestamptz,
  provider text,
  provider_message_id text,
  error text,
  sent_at timestamptz,
  delivered_at timestamptz,
  failed_at timestamptz,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CONSTRAINT handing_over_has_a_lease CHECK (state <> 'handing_over' OR (claimed_by IS NOT NULL AND lease_until IS NOT NULL))
) PARTITION BY RANGE (id);
CREATE INDEX notifications_by_recovery ON notifications (recovery_id);
CREATE INDEX notifications_handing_over ON notifications (lease_until) WHERE state = 'handing_over';

-- What happened to a recovery: who, when, why, and under which trace.
CREATE TABLE timeline (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  recovery_id uuid NOT NULL,
  at timestamptz NOT NULL,
  kind text NOT NULL,
  actor text NOT NULL,
  why text NOT NULL,
  detail jsonb NOT NULL DEFAULT '{}',
  trace_id text
) PARTITION BY RANGE (id);
CREATE INDEX timeline_by_recovery ON timeline (recovery_id, id);

-- What PSPs sent, as it was sent.
CREATE TABLE psp_events (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  connection_id uuid NOT NULL,
  provider text NOT NULL,
  provider_event_id text NOT NULL,
  kind text NOT NULL,
  body jsonb NOT NULL,
  outcome text NOT NULL,
  trace_id text,
  received_at timestamptz NOT NULL
) PARTITION BY RANGE (id);

-- A PSP's event has one effect, however often it is delivered.
CREATE TABLE psp_event_keys (
  organization_id uuid NOT NULL,
  connection_id uuid NOT NULL,
  provider_event_id text NOT NULL,
  psp_event_id uuid NOT NULL,
  received_at timestamptz NOT NULL,
  PRIMARY KEY (organization_id, connection_id, provider_event_id)
);

-- The stored answer of a request that carried an Idempotency-Key.
CREATE TABLE idempotency_keys (
  organization_id uuid NOT NULL REFERENCES organizations (id),
  key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
  fingerprint bytea NOT NULL CHECK (length(fingerprint) = 32),
  status integer NOT NULL,
  body jsonb NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (organization_id, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

INSERT INTO partitioned_tables (name) VALUES
  ('failure_events'), ('attempts'), ('notifications'), ('timeline'), ('psp_events');
CREATE TABLE failure_events_default PARTITION OF failure_events DEFAULT;
CREATE TABLE attempts_default PARTITION OF attempts DEFAULT;
CREATE TABLE notifications_default PARTITION OF notifications DEFAULT;
CREATE TABLE timeline_default PARTITION OF timeline DEFAULT;
CREATE TABLE psp_events_default PARTITION OF psp_events DEFAULT;
SELECT ensure_partitions(now(), 3);
