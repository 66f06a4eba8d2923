-- By which objects at a PSP a transaction may have been paid.
CREATE INDEX CONCURRENTLY psp_objects_by_transaction ON psp_objects (organization_id, transaction_id);
