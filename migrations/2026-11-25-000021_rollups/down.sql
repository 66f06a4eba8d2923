DROP VIEW rollup_recoveries;
DROP TABLE rollup_skips;
DROP TABLE recovery_milestones;
DROP TABLE rollups;
DROP TABLE rollup_counts;
