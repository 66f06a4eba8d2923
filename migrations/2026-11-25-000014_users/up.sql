-- Merchants' people: how they log in, what they are sent, and who changed what.

ALTER TABLE users
  -- Set once a code or an invitation that was sent to the address came back.
  ADD COLUMN email_verified_at timestamptz,
  ADD COLUMN last_login_at timestamptz;
-- The same address may belong to people of several organizations.
CREATE INDEX users_by_email ON users (email);
CREATE INDEX users_by_organization ON users (organization_id, id);

-- One login, and the refresh tokens that follow from it: a token that is used
-- twice ends the session with all of them.
CREATE TABLE user_sessions (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organizations (id),
  user_id uuid NOT NULL REFERENCES users (id),
  method text NOT NULL CHECK (method IN ('registration', 'password', 'code', 'invitation')),
  user_agent text,
  address text,
  created_at timestamptz NOT NULL,
  last_used_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  ended_at timestamptz,
  ended_by text CHECK (ended_by IN ('logout', 'revoked', 'reuse', 'disabled', 'password')),
  CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
CREATE INDEX user_sessions_by_user ON user_sessions (organization_id, user_id, id);
CREATE INDEX user_sessions_by_expiry ON user_sessions (expires_at);

-- Tokens are stored as their SHA-256. A used one is kept, so that its second
-- use is noticed.
CREATE TABLE refresh_tokens (
  token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
  organization_id uuid NOT NULL REFERENCES organizations (id),
  session_id uuid NOT NULL REFERENCES user_sessions (id) ON DELETE CASCADE,
  created_at timestamptz NOT NULL,
  used_at timestamptz
);
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);

-- How often a login was tried lately, by the hash of an account's or a
-- network's address. Whether there is such an account plays no part.
CREATE TABLE login_tries (
  subject bytea PRIMARY KEY CHECK (length(subject) = 32),
  tries integer NOT NULL CHECK (tries >= 0),
  began_at timestamptz NOT NULL
);
CREATE INDEX login_tries_by_time ON login_tries (began_at);

-- One-time codes and invitations. A code itself is derived from the row's id by
-- a key that Postgres does not have; an invitation is found by its token's SHA-256.
CREATE TABLE user_codes (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organizations (id),
  user_id uuid NOT NULL REFERENCES users (id),
  purpose text NOT NULL CHECK (purpose IN ('login', 'invitation')),
  token_hash bytea UNIQUE CHECK (length(token_hash) = 32),
  tries_left integer NOT NULL CHECK (tries_left >= 0),
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  -- When it was used, replaced by a newer one, or withdrawn.
  closed_at timestamptz,
  -- The mail that carries it.
  mail_state text NOT NULL DEFAULT 'queued'
    CHECK (mail_state IN ('queued', 'handing_over', 'sent', 'failed', 'unconfirmed', 'withdrawn')),
  mail_worker uuid,
  mail_lease_until timestamptz,
  mail_error text,
  CHECK ((purpose = 'invitation') = (token_hash IS NOT NULL))
);
CREATE INDEX user_codes_by_user ON user_codes (user_id, id);
CREATE INDEX user_codes_by_expiry ON user_codes (expires_at);

-- A key that was replaced goes on working until it expires.
ALTER TABLE api_keys
  ADD COLUMN replaced_by uuid,
  ADD COLUMN made_by text;

-- Every change by whom, written in the transaction of the change.
CREATE TABLE audit_log (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  at timestamptz NOT NULL,
  -- A user's or a key's id, or the word for one of our own parts.
  actor text NOT NULL,
  action text NOT NULL,
  -- What it was done to, by its id.
  object text,
  detail jsonb NOT NULL,
  trace_id text
) PARTITION BY RANGE (id);
CREATE INDEX audit_log_by_organization ON audit_log (organization_id, id);

INSERT INTO partitioned_tables (name) VALUES ('audit_log');
CREATE TABLE audit_log_default PARTITION OF audit_log DEFAULT;
SELECT ensure_partitions(now(), 3);
