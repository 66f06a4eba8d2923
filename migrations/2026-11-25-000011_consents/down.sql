DROP FUNCTION why_unreachable(uuid, text, text);
DROP INDEX notifications_by_number;
DROP INDEX notifications_by_provider_id;
DROP TABLE obeyed_replies;
DROP TABLE contact_changes;
DROP TABLE shared_suppressions;
DROP INDEX suppressions_to_lift;
DROP INDEX suppressions_newest;
DELETE FROM suppressions s USING suppressions older
  WHERE older.organization_id = s.organization_id AND older.channel = s.channel
    AND older.address = s.address AND older.id < s.id;
ALTER TABLE suppressions DROP CONSTRAINT suppressions_pkey;
DROP INDEX suppressions_by_address;
ALTER TABLE suppressions ADD CONSTRAINT suppressions_pkey PRIMARY KEY (organization_id, channel, address);
ALTER TABLE suppressions DROP COLUMN id;
DROP TABLE consents;
ALTER TABLE organizations DROP COLUMN opt_in_channels;
