-- What the older form cannot hold is forgotten: codes live for days at most.
DELETE FROM user_codes WHERE purpose <> 'login';

DROP INDEX user_codes_invitations;
DROP INDEX user_codes_open_invitation;
DROP INDEX user_codes_open;

ALTER TABLE user_codes
  DROP CONSTRAINT user_codes_closed_for_a_reason,
  DROP CONSTRAINT user_codes_of_somebody,
  DROP CONSTRAINT user_codes_link_has_a_token,
  DROP CONSTRAINT user_codes_purpose_check,
  DROP COLUMN mail_sent_at,
  DROP COLUMN mail_tries,
  DROP COLUMN closed_by,
  DROP COLUMN made_by,
  DROP COLUMN role,
  DROP COLUMN email,
  ALTER COLUMN user_id SET NOT NULL,
  ADD CONSTRAINT user_codes_purpose_check CHECK (purpose IN ('login', 'invitation')),
  ADD CONSTRAINT user_codes_check CHECK ((purpose = 'invitation') = (token_hash IS NOT NULL));
