-- Marks a batch of events as published (docs/decisions/0067-the-outbox-is-found-by-its-key.md). The outbox is empty between two floods, and
-- a plan that is made then and kept reads it from end to end, comparing each row with each of the ids. Whoever settles one of them has
-- its row locked: it is passed over.
CREATE FUNCTION mark_published(ids uuid[], at timestamptz) RETURNS void
LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
  UPDATE outbox SET published_at = at WHERE id = ANY (ARRAY (
    SELECT id FROM outbox WHERE id = ANY (ids) FOR UPDATE SKIP LOCKED));
END
$$;
