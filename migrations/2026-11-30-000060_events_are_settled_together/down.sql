DROP FUNCTION settle_events(uuid[]);
