-- Keys are forgotten by their age. They are written in its order, so that a few pages
-- of index do, and a write costs next to nothing.
CREATE INDEX CONCURRENTLY psp_event_keys_by_age ON psp_event_keys USING brin (received_at);
