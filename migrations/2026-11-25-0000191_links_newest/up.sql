-- Lists of links, newest first.
CREATE INDEX CONCURRENTLY recovery_links_newest ON recovery_links (organization_id, id);
