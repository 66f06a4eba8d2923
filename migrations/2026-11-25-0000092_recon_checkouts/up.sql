-- The checkouts of a recovery, ended ones too.
CREATE INDEX CONCURRENTLY checkouts_by_recovery ON checkouts (recovery_id);
