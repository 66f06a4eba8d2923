DROP INDEX CONCURRENTLY transactions_newest;
