-- How many messages of an organization lie in Redis and are not sent yet.
CREATE INDEX CONCURRENTLY outbox_messages_ahead ON outbox (stream, organization_id) WHERE published_at IS NOT NULL AND dead_at IS NULL AND stream LIKE 'notifications:%';
