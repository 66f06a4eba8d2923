-- What merchants see of their PSP connections, and how one is rotated and ended.

ALTER TABLE psp_connections
  ADD COLUMN name text CHECK (length(name) BETWEEN 1 AND 128),
  -- Whether its key moves money.
  ADD COLUMN mode text CHECK (mode IN ('live', 'test')),
  -- The last characters of the key, by which a merchant knows it again.
  ADD COLUMN credentials_hint text CHECK (length(credentials_hint) BETWEEN 1 AND 4),
  -- What the PSP last said of the credentials.
  ADD COLUMN check_outcome text NOT NULL DEFAULT 'unverified'
    CHECK (check_outcome IN ('unverified', 'verified', 'refused', 'unreachable')),
  ADD COLUMN checked_at timestamptz,
  ADD COLUMN updated_at timestamptz,
  -- Webhook secrets that were replaced and verify until then.
  ADD COLUMN older_webhook_secrets_sealed bytea,
  ADD COLUMN older_webhook_secrets_until timestamptz,
  -- Since when no new recovery is opened over it. Those in flight go on, which
  -- disabled_at, an operator's hard stop, does not allow them.
  ADD COLUMN ended_at timestamptz,
  ADD CONSTRAINT older_secrets_run_out
    CHECK ((older_webhook_secrets_sealed IS NULL) = (older_webhook_secrets_until IS NULL));
