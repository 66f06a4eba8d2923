-- Lists of attempts and messages, newest first: each walks an index from where the
-- page begins, so the last page costs what the first does. The tables are
-- partitioned, where an index cannot be made concurrently.

CREATE INDEX attempts_newest ON attempts (organization_id, id);
CREATE INDEX attempts_by_state ON attempts (organization_id, state, id);

CREATE INDEX notifications_newest ON notifications (organization_id, id);
CREATE INDEX notifications_by_state ON notifications (organization_id, state, id);
-- "What did you send to this address?" Older rows may hold an address as it was given.
CREATE INDEX notifications_by_address ON notifications (organization_id, lower(address), id);
