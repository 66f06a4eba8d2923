DROP FUNCTION prune_partitions(timestamptz, integer);
