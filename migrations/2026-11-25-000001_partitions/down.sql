DROP FUNCTION missing_partitions(timestamptz, integer);
DROP FUNCTION ensure_partitions(timestamptz, integer);
DROP FUNCTION ensure_partition(text, date);
DROP TABLE partitioned_tables;
DROP FUNCTION uuid7_floor(timestamptz);
