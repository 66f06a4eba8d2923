DROP INDEX CONCURRENTLY outbox_messages_ahead;
