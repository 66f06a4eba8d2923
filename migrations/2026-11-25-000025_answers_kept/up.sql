-- The answer to an Idempotency-Key as it was sent, byte for byte. One that holds a
-- secret is sealed. Rows of older replicas have it in `body` for the day that they live.
ALTER TABLE idempotency_keys
  ADD COLUMN answer bytea,
  ADD COLUMN is_sealed boolean NOT NULL DEFAULT false;
