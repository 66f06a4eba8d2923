-- Events whose effect has not committed yet. A row is written with its cause,
-- published to Redis after the commit, and deleted in the transaction that
-- commits the effect: what is here is what is still owed, whatever Redis forgot.
CREATE TABLE outbox (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  stream text NOT NULL,
  envelope bytea NOT NULL,
  created_at timestamptz NOT NULL,
  published_at timestamptz,
  -- A dead letter: why, and no more tries until it is replayed.
  dead_at timestamptz,
  dead_reason text
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX outbox_unpublished ON outbox (created_at) WHERE published_at IS NULL AND dead_at IS NULL;
CREATE INDEX outbox_published ON outbox (stream, published_at) WHERE published_at IS NOT NULL AND dead_at IS NULL;
