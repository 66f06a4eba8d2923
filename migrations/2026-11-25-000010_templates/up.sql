-- What payers read, in an organization's own words.

-- One for each channel, language and kind of message at most; a change is a new
-- version, and what was sent can be read in the version that it was written with.
CREATE TABLE message_templates (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organizations (id),
  channel text NOT NULL CHECK (channel IN ('email', 'sms', 'whatsapp')),
  -- A BCP 47 tag, as de or pt-BR.
  language text NOT NULL CHECK (length(language) BETWEEN 2 AND 12),
  -- default, neutral, or a failure category.
  kind text NOT NULL CHECK (length(kind) BETWEEN 1 AND 64),
  version integer NOT NULL CHECK (version > 0),
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  -- When it was taken out of use.
  retired_at timestamptz,
  UNIQUE (organization_id, id)
);
CREATE UNIQUE INDEX one_template_in_use ON message_templates (organization_id, channel, language, kind)
  WHERE retired_at IS NULL;

CREATE TABLE message_template_versions (
  organization_id uuid NOT NULL,
  template_id uuid NOT NULL,
  version integer NOT NULL CHECK (version > 0),
  content jsonb NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (organization_id, template_id, version),
  FOREIGN KEY (organization_id, template_id) REFERENCES message_templates (organization_id, id)
);

-- The language an organization writes in where the payer's is not served, and
-- where it answers payers' questions.
ALTER TABLE organizations
  ADD COLUMN message_language text CHECK (length(message_language) BETWEEN 2 AND 12),
  ADD COLUMN support_contact text CHECK (length(support_contact) BETWEEN 1 AND 120);

-- What a message was written with: a template's version (none for Tinko's own),
-- the language, and why the organization's template could not be used.
ALTER TABLE notifications
  ADD COLUMN template_id uuid,
  ADD COLUMN template_version integer,
  ADD COLUMN language text,
  ADD COLUMN template_fault text;
