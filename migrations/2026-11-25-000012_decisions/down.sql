ALTER TABLE recoveries DROP COLUMN hold_out, DROP COLUMN variant, DROP COLUMN experiment;
DELETE FROM partitioned_tables WHERE name = 'decisions';
DROP TABLE decisions;
