-- Settles a batch of events, and says which of them had not been settled before (docs/decisions/0070-events-that-come-at-once-share-a-commit.md).
-- The rows are locked in the order of their ids, so that two batches with the same ones wait for each other and do not meet. By the
-- key, as in 000059: a plan made while the outbox is empty would read a full one from end to end.
CREATE FUNCTION settle_events(ids uuid[]) RETURNS SETOF uuid
LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
  RETURN QUERY DELETE FROM outbox o WHERE o.id = ANY (ARRAY (
    SELECT l.id FROM outbox l WHERE l.id = ANY (ids) ORDER BY l.id FOR UPDATE))
  RETURNING o.id;
END
$$;
