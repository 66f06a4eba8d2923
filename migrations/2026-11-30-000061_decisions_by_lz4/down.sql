DO $$
DECLARE part regclass;
BEGIN
  FOR part IN SELECT 'decisions'::regclass
              UNION ALL SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'decisions'::regclass LOOP
    EXECUTE format('ALTER TABLE %s ALTER COLUMN record SET COMPRESSION DEFAULT', part);
  END LOOP;
END
$$;
