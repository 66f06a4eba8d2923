-- Since when a merchant lets a recovery rest: it is neither charged nor written
-- about, until somebody resumes it. The payer may pay through a link all the same.
ALTER TABLE recoveries ADD COLUMN paused_at timestamptz;
