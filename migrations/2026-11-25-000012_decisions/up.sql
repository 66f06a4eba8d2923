-- What was decided about a recovery, and from what: each record holds all that
-- the planner saw, so that the decision can be derived again from it alone.
CREATE TABLE decisions (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  recovery_id uuid NOT NULL,
  -- The step that followed from it, if one did.
  attempt_id uuid,
  at timestamptz NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('act', 'wait', 'give_up')),
  policy_id uuid,
  policy_version integer,
  variant text,
  rule_pack text NOT NULL,
  -- Why, in the words that merchants read.
  words text NOT NULL,
  record jsonb NOT NULL,
  trace_id text
) PARTITION BY RANGE (id);
CREATE INDEX decisions_by_recovery ON decisions (recovery_id, id);

INSERT INTO partitioned_tables (name) VALUES ('decisions');
CREATE TABLE decisions_default PARTITION OF decisions DEFAULT;
SELECT ensure_partitions(now(), 3);

-- Which arm of its policy's experiment a recovery was assigned to when it
-- opened. One that is held out is watched and never acted on.
ALTER TABLE recoveries
  ADD COLUMN experiment text,
  ADD COLUMN variant text,
  ADD COLUMN hold_out boolean NOT NULL DEFAULT false;
