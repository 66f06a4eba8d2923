-- What the rows of ceiling.sql refer to. The functions make ids as the services
-- do: a time in milliseconds, then random bits (RFC 9562, 5.7).
CREATE FUNCTION born_at(ms bigint, random bigint) RETURNS uuid
LANGUAGE sql IMMUTABLE AS $$
  SELECT (lpad(to_hex(ms), 12, '0') || '7' || lpad(to_hex(random % 4096), 3, '0')
          || '8' || lpad(to_hex(random), 15, '0'))::uuid
$$;

INSERT INTO organizations (id, name, slug, created_at)
VALUES ('01900000-0000-7000-8000-000000000001', 'Ceiling', 'ceiling', now());
INSERT INTO psp_connections (id, organization_id, provider, account_id, credentials_sealed,
                             webhook_secrets_sealed, created_at)
VALUES ('01900000-0000-7000-8000-000000000002', '01900000-0000-7000-8000-000000000001',
        'stripe', 'acct_ceiling', '\x00', '\x00', now());
INSERT INTO retry_policies (id, organization_id, version, name, document, is_active, created_at)
VALUES ('01900000-0000-7000-8000-000000000003', '01900000-0000-7000-8000-000000000001',
        1, 'Ceiling', '{}', true, now());
