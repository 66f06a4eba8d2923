-- Payments that succeeded before any failure of theirs was heard of. PSPs send
-- events out of order: a failure that is reported later must open no recovery.
CREATE TABLE paid_objects (
  organization_id uuid NOT NULL REFERENCES organizations (id),
  provider text NOT NULL,
  object_id text NOT NULL,
  paid_at timestamptz NOT NULL,
  PRIMARY KEY (organization_id, provider, object_id)
);
CREATE INDEX paid_objects_by_age ON paid_objects (paid_at);
