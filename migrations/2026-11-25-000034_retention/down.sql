DROP FUNCTION ensure_missed_partitions(timestamptz, integer);
DROP FUNCTION drop_retired_partition(timestamptz);
DROP FUNCTION detach_old_partition(timestamptz, text, integer);
DROP FUNCTION partition_in_use(text, text, date);
DROP TABLE retired_partitions;
ALTER TABLE partitioned_tables DROP COLUMN kind;
