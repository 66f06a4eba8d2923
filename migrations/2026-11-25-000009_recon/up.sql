-- Comparisons of an organization's recoveries with what its PSPs say.

-- One comparison. It goes through the organization's recoveries in the order of
-- their ids, and keeps how far it is, so that whoever takes it over goes on there.
CREATE TABLE recon_runs (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organizations (id),
  state text NOT NULL CHECK (state IN ('running', 'finished')),
  asked_by text NOT NULL CHECK (asked_by IN ('schedule', 'merchant')),
  -- The organization's time of the day that it was made for.
  slot timestamptz,
  days integer NOT NULL CHECK (days BETWEEN 1 AND 365),
  -- The last recovery that was passed.
  reached uuid,
  checked bigint NOT NULL DEFAULT 0,
  ok bigint NOT NULL DEFAULT 0,
  mismatches bigint NOT NULL DEFAULT 0,
  unknown bigint NOT NULL DEFAULT 0,
  recovered bigint NOT NULL DEFAULT 0,
  cancelled bigint NOT NULL DEFAULT 0,
  -- Who works on it, until when that is believed, and whose turn it is.
  claimed_by uuid,
  lease_until timestamptz,
  claims integer NOT NULL DEFAULT 0,
  turn_at timestamptz NOT NULL,
  began_at timestamptz NOT NULL,
  ended_at timestamptz,
  CONSTRAINT finished_has_an_end CHECK ((state = 'finished') = (ended_at IS NOT NULL)),
  CONSTRAINT scheduled_has_a_slot CHECK ((asked_by = 'schedule') = (slot IS NOT NULL)),
  CONSTRAINT every_check_has_a_verdict CHECK (checked = ok + mismatches + unknown)
);
CREATE UNIQUE INDEX one_running_recon ON recon_runs (organization_id) WHERE state = 'running';
CREATE UNIQUE INDEX one_recon_a_slot ON recon_runs (organization_id, slot);
CREATE INDEX recon_runs_in_turn ON recon_runs (turn_at) WHERE state = 'running';
CREATE INDEX recon_runs_newest ON recon_runs (organization_id, id DESC);
CREATE INDEX recon_runs_by_age ON recon_runs (began_at);

-- What was found of one recovery, where the two did not say the same.
CREATE TABLE recon_results (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  run_id uuid NOT NULL REFERENCES recon_runs (id),
  recovery_id uuid NOT NULL,
  transaction_id uuid NOT NULL,
  verdict text NOT NULL CHECK (verdict IN ('mismatch', 'unknown')),
  differences jsonb NOT NULL,
  -- What was changed because of it.
  change text NOT NULL CHECK (change IN ('none', 'recovered', 'cancelled')),
  -- In words that a merchant understands.
  why text NOT NULL,
  provider text,
  payment_ref text,
  found_at timestamptz NOT NULL,
  UNIQUE (organization_id, run_id, recovery_id)
);
CREATE INDEX recon_results_by_run ON recon_results (run_id, id);
CREATE INDEX recon_results_by_age ON recon_results (found_at);
