DROP INDEX notifications_by_address;
DROP INDEX notifications_by_state;
DROP INDEX notifications_newest;
DROP INDEX attempts_by_state;
DROP INDEX attempts_newest;
