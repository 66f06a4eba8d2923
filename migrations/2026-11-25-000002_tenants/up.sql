-- Who Tinko works for: organizations, their people, keys, PSP accounts, policies.

CREATE TABLE organizations (
  id uuid PRIMARY KEY,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused')),
  created_at timestamptz NOT NULL
);

CREATE TABLE users (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organizations (id),
  email text NOT NULL CHECK (email = lower(email)),
  full_name text,
  role text NOT NULL CHECK (role IN ('admin', 'operator', 'analyst')),
  password_hash text,
  created_at timestamptz NOT NULL,
  disabled_at timestamptz,
  UNIQUE (organization_id, email)
);

-- A key is shown once and stored as its SHA-256.
CREATE TABLE api_keys (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organizations (id),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
  shown_prefix text NOT NULL,
  key_hash bytea NOT NULL UNIQUE CHECK (length(key_hash) = 32),
  scopes text[] NOT NULL CHECK (scopes <@ ARRAY['read', 'write', 'admin'] AND cardinality(scopes) > 0),
  created_at timestamptz NOT NULL,
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz
);
CREATE INDEX api_keys_by_organization ON api_keys (organization_id);

-- A merchant's account at a PSP. Credentials and webhook secrets are sealed
-- (AEAD, key id inside) with the organization and the connection as context.
CREATE TABLE psp_connections (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organizations (id),
  provider text NOT NULL CHECK (provider IN ('stripe', 'razorpay')),
  account_id text NOT NULL CHECK (length(account_id) BETWEEN 1 AND 128),
  credentials_sealed bytea NOT NULL,
  webhook_secrets_sealed bytea NOT NULL,
  created_at timestamptz NOT NULL,
  disabled_at timestamptz,
  UNIQUE (organization_id, provider, account_id)
);
-- A webhook without a connection in its path is matched by the account it names.
CREATE INDEX psp_connections_by_account ON psp_connections (provider, account_id) WHERE disabled_at IS NULL;

-- Policies are versions: a change is a new row, and a recovery keeps the one it opened with.
CREATE TABLE retry_policies (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organizations (id),
  version integer NOT NULL CHECK (version > 0),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
  document jsonb NOT NULL,
  is_active boolean NOT NULL,
  created_at timestamptz NOT NULL,
  UNIQUE (organization_id, version)
);
CREATE UNIQUE INDEX one_active_policy ON retry_policies (organization_id) WHERE is_active;

-- Addresses that must not be written to, by hard bounce, STOP or unsubscribing.
CREATE TABLE suppressions (
  organization_id uuid NOT NULL REFERENCES organizations (id),
  channel text NOT NULL CHECK (channel IN ('email', 'sms', 'whatsapp')),
  address text NOT NULL,
  reason text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (organization_id, channel, address)
);
