DROP TABLE registration_keys;

ALTER TABLE organizations
  DROP COLUMN updated_at,
  DROP COLUMN country,
  DROP COLUMN time_zone;
