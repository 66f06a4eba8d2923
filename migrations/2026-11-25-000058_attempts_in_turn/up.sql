-- For claims, and for them alone (docs/decisions/0064-an-index-that-nothing-else-will-do-for.md): organizations that have something
-- scheduled in turn, and what is due of each. An id is never nil: the expression keeps every other index from seeming as good.
-- The table is partitioned, where an index cannot be made concurrently: attempts are not written while they are read through.
CREATE INDEX attempts_in_turn ON attempts (nullif(organization_id, '00000000-0000-0000-0000-000000000000'), due_at)
  WHERE (state = 'scheduled') IS TRUE;
