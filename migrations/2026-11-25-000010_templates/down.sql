ALTER TABLE notifications
  DROP COLUMN template_fault, DROP COLUMN language, DROP COLUMN template_version, DROP COLUMN template_id;
ALTER TABLE organizations DROP COLUMN support_contact, DROP COLUMN message_language;
DROP TABLE message_template_versions;
DROP TABLE message_templates;
