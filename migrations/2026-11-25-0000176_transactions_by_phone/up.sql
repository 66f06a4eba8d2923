-- Search by the payer's phone number.
CREATE INDEX CONCURRENTLY transactions_by_phone ON transactions (organization_id, payer_phone, id) WHERE payer_phone IS NOT NULL;
