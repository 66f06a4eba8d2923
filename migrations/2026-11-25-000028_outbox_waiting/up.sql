-- What waits to be published, by organization: the sweeper lets them take turns.
CREATE INDEX CONCURRENTLY outbox_waiting ON outbox (stream, organization_id, created_at) WHERE published_at IS NULL AND dead_at IS NULL;
