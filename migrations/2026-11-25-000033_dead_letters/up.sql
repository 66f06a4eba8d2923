-- Dead letters are listed and counted by themselves, however much else is owed.
CREATE INDEX CONCURRENTLY outbox_dead ON outbox (id) WHERE dead_at IS NOT NULL;
