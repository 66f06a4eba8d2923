-- What an organization says of itself: its clock, its country, and when it last did.
ALTER TABLE organizations
  -- An IANA name; that it is one is checked where it is set.
  ADD COLUMN time_zone text CHECK (length(time_zone) BETWEEN 1 AND 64),
  ADD COLUMN country text CHECK (country ~ '^[A-Z]{2}$'),
  ADD COLUMN updated_at timestamptz;

-- A registration that is sent again finds the answer to the first: by the hash of
-- address and Idempotency-Key, since there is no organization yet to keep it in.
CREATE TABLE registration_keys (
  subject bytea PRIMARY KEY CHECK (length(subject) = 32),
  organization_id uuid NOT NULL REFERENCES organizations (id),
  -- What was asked and what was answered: both hold secrets.
  sealed bytea NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE INDEX registration_keys_by_age ON registration_keys (created_at);
