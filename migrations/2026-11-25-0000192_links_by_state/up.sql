-- Lists of links, newest first, of one state.
CREATE INDEX CONCURRENTLY recovery_links_by_state ON recovery_links (organization_id, state, id);
