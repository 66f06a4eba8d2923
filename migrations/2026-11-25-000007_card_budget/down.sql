DELETE FROM partitioned_tables WHERE name = 'card_tries';
DROP TABLE card_tries;
DROP TABLE cards;
ALTER TABLE transactions
  DROP COLUMN card_fingerprint,
  DROP COLUMN card_country,
  DROP COLUMN rail;
