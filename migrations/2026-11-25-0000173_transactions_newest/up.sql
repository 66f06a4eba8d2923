-- Lists of transactions, newest first.
CREATE INDEX CONCURRENTLY transactions_newest ON transactions (organization_id, id);
