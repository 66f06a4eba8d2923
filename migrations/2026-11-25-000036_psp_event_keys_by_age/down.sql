DROP INDEX CONCURRENTLY psp_event_keys_by_age;
