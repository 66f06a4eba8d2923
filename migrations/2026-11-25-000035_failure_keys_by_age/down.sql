DROP INDEX CONCURRENTLY failure_keys_by_age;
