-- What the analytics sink has not confirmed yet: written in the transaction that settles the event, where there is a
-- sink, and deleted once the broker holds it. What waits for a sink that is away waits here, and holds up nothing else.
CREATE TABLE sink_events (
  -- The event's own, by which receivers tell copies.
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  kind text NOT NULL,
  -- As it is published.
  body bytea NOT NULL,
  traceparent text,
  tracestate text,
  queued_at timestamptz NOT NULL,
  -- Until then a process is publishing it.
  leased_until timestamptz
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
