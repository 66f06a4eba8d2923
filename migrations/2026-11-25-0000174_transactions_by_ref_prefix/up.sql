-- Search by how a merchant's reference begins, whatever the database's collation.
CREATE INDEX CONCURRENTLY transactions_by_ref_prefix ON transactions (organization_id, transaction_ref text_pattern_ops);
