-- Search by the payer's email address, in either case.
CREATE INDEX CONCURRENTLY transactions_by_email ON transactions (organization_id, lower(payer_email), id) WHERE payer_email IS NOT NULL;
