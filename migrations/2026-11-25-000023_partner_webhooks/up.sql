-- Partner webhooks: who wants to hear of what, what there was to tell, and how it went.

-- An address that a partner hears of events at.
CREATE TABLE webhook_endpoints (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organizations (id),
  url text NOT NULL CHECK (length(url) BETWEEN 1 AND 2048),
  description text NOT NULL DEFAULT '' CHECK (length(description) <= 512),
  -- `*`, a prefix such as `recovery.*`, or a type.
  event_types text[] NOT NULL CHECK (cardinality(event_types) BETWEEN 1 AND 32),
  signature text NOT NULL CHECK (signature IN ('hmac', 'ed25519')),
  -- What its webhooks are signed with, sealed for this row; the one before it goes
  -- on signing beside it until its time is over.
  key_sealed bytea NOT NULL,
  public_key text,
  old_key_sealed bytea,
  old_key_until timestamptz,
  enabled boolean NOT NULL DEFAULT true,
  disabled_reason text,
  -- The circuit breaker, as in domain::partner::Health.
  failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
  failing_since timestamptz,
  paused_until timestamptz,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  -- Its deliveries stay to be looked at.
  deleted_at timestamptz,
  CONSTRAINT an_old_key_has_an_end CHECK ((old_key_sealed IS NULL) = (old_key_until IS NULL)),
  CONSTRAINT ed25519_has_a_public_key CHECK ((signature = 'ed25519') = (public_key IS NOT NULL))
);
CREATE INDEX webhook_endpoints_by_organization ON webhook_endpoints (organization_id, id) WHERE deleted_at IS NULL;

-- What there was to tell, once an event, as it is sent: signatures are over these bytes.
-- Kept for organizations that have an endpoint.
CREATE TABLE partner_events (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  event_type text NOT NULL,
  recovery_id uuid,
  payload text NOT NULL,
  occurred_at timestamptz NOT NULL
) PARTITION BY RANGE (id);
CREATE INDEX partner_events_by_organization ON partner_events (organization_id, id);

-- One event on its way to one endpoint.
CREATE TABLE partner_deliveries (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  endpoint_id uuid NOT NULL REFERENCES webhook_endpoints (id),
  event_id uuid NOT NULL,
  event_type text NOT NULL,
  cause text NOT NULL CHECK (cause IN ('event', 'test', 'replay')),
  state text NOT NULL CHECK (state IN ('pending', 'sending', 'delivered', 'failed', 'cancelled')),
  due_at timestamptz NOT NULL,
  claimed_by uuid,
  lease_until timestamptz,
  tries integer NOT NULL DEFAULT 0 CHECK (tries >= 0),
  -- The status of the last answer.
  last_status integer,
  last_error text,
  finished_at timestamptz,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CONSTRAINT sending_has_a_lease CHECK (state <> 'sending' OR (claimed_by IS NOT NULL AND lease_until IS NOT NULL)),
  CONSTRAINT an_end_has_a_time CHECK ((state IN ('delivered', 'failed', 'cancelled')) = (finished_at IS NOT NULL))
) PARTITION BY RANGE (id);
CREATE INDEX partner_deliveries_by_endpoint ON partner_deliveries (endpoint_id, id);
-- The queue: its size is what waits, not what was ever sent.
CREATE INDEX partner_deliveries_due ON partner_deliveries (organization_id, endpoint_id, due_at) WHERE state = 'pending';
CREATE INDEX partner_deliveries_next ON partner_deliveries (due_at) WHERE state = 'pending';
CREATE INDEX partner_deliveries_sending ON partner_deliveries (organization_id, endpoint_id) WHERE state = 'sending';
CREATE INDEX partner_deliveries_leased ON partner_deliveries (lease_until) WHERE state = 'sending';

-- One request, and what was answered.
CREATE TABLE partner_tries (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  delivery_id uuid NOT NULL,
  number integer NOT NULL CHECK (number > 0),
  at timestamptz NOT NULL,
  duration_ms integer CHECK (duration_ms >= 0),
  -- Names and values, without signatures: they would let the request be made again.
  request_headers jsonb NOT NULL DEFAULT '{}',
  status integer,
  -- The first 4 KiB.
  answer text,
  error text,
  trace_id text
) PARTITION BY RANGE (id);
CREATE INDEX partner_tries_by_delivery ON partner_tries (delivery_id, number);

INSERT INTO partitioned_tables (name) VALUES ('partner_events'), ('partner_deliveries'), ('partner_tries');
CREATE TABLE partner_events_default PARTITION OF partner_events DEFAULT;
CREATE TABLE partner_deliveries_default PARTITION OF partner_deliveries DEFAULT;
CREATE TABLE partner_tries_default PARTITION OF partner_tries DEFAULT;
SELECT ensure_partitions(now(), 3);
