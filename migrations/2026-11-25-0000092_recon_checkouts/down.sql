DROP INDEX CONCURRENTLY checkouts_by_recovery;
