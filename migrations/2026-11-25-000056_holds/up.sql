-- What operators have paused: while a hold is in force, what it covers is not claimed, charged or sent, and waits as it
-- is. Nothing is deleted: who paused and resumed what, and why, can be read here for good.
CREATE TABLE holds (
  id uuid PRIMARY KEY,
  -- Of which organization; all of them where it names none.
  organization_id uuid REFERENCES organizations (id),
  -- Messages on that channel; all of them, and charges, where it names none.
  channel text CHECK (channel IN ('email', 'sms', 'whatsapp')),
  since timestamptz NOT NULL,
  held_by text NOT NULL,
  why text NOT NULL,
  ended_at timestamptz,
  ended_by text,
  ended_why text,
  CONSTRAINT an_end_says_who_and_why CHECK ((ended_at IS NULL) = (ended_by IS NULL) AND (ended_at IS NULL) = (ended_why IS NULL))
);
-- Each thing is paused once at a time. What is in force is read by every claim, and is nearly always nothing.
CREATE UNIQUE INDEX holds_in_force ON holds
  (coalesce(organization_id, '00000000-0000-0000-0000-000000000000'), coalesce(channel, '')) WHERE ended_at IS NULL;
