-- Codes and links for merchants' people, put to use: a link for a forgotten
-- password, and invitations of people who are nobody's users yet.

ALTER TABLE user_codes
  ALTER COLUMN user_id DROP NOT NULL,
  -- Of an invitation: whom, as what, and by whom it was made.
  ADD COLUMN email text CHECK (email = lower(email)),
  ADD COLUMN role text CHECK (role IN ('admin', 'operator', 'analyst')),
  ADD COLUMN made_by text,
  ADD COLUMN closed_by text CHECK (closed_by IN ('used', 'replaced', 'revoked', 'spent')),
  ADD COLUMN mail_tries integer NOT NULL DEFAULT 0,
  ADD COLUMN mail_sent_at timestamptz,
  DROP CONSTRAINT user_codes_purpose_check,
  DROP CONSTRAINT user_codes_check,
  ADD CONSTRAINT user_codes_purpose_check
    CHECK (purpose IN ('login', 'invitation', 'password_reset')),
  ADD CONSTRAINT user_codes_link_has_a_token
    CHECK ((purpose = 'login') = (token_hash IS NULL)),
  ADD CONSTRAINT user_codes_of_somebody
    CHECK (CASE WHEN purpose = 'invitation'
                THEN user_id IS NULL AND email IS NOT NULL AND role IS NOT NULL
                ELSE user_id IS NOT NULL AND email IS NULL AND role IS NULL END),
  ADD CONSTRAINT user_codes_closed_for_a_reason
    CHECK ((closed_at IS NULL) = (closed_by IS NULL));

-- One that can be used for each user and purpose, and for each address invited.
CREATE UNIQUE INDEX user_codes_open ON user_codes (organization_id, user_id, purpose)
  WHERE closed_at IS NULL AND user_id IS NOT NULL;
CREATE UNIQUE INDEX user_codes_open_invitation ON user_codes (organization_id, email)
  WHERE closed_at IS NULL AND purpose = 'invitation';
CREATE INDEX user_codes_invitations ON user_codes (organization_id, id)
  WHERE closed_at IS NULL AND purpose = 'invitation';
