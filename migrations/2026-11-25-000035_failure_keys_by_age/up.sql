-- Keys are forgotten by their age. They are written in its order, so that a few pages
-- of index do, and a write costs next to nothing.
CREATE INDEX CONCURRENTLY failure_keys_by_age ON failure_keys USING brin (created_at);
