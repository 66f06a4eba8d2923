DROP TABLE payments_underway;
DROP TABLE received_payments;
ALTER TABLE open_charges DROP COLUMN charge_before;
ALTER TABLE open_charges DROP COLUMN sent_at;
ALTER TABLE paid_objects DROP COLUMN why;
