DELETE FROM partitioned_tables WHERE name = 'unknown_codes';
DROP TABLE unknown_codes;
