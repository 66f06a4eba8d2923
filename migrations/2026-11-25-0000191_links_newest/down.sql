DROP INDEX CONCURRENTLY recovery_links_newest;
