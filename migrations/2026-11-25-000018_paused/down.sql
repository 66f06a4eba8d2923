ALTER TABLE recoveries DROP COLUMN paused_at;
