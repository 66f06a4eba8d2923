ALTER TABLE idempotency_keys DROP COLUMN is_sealed, DROP COLUMN answer;
