DROP INDEX CONCURRENTLY recoveries_by_state;
