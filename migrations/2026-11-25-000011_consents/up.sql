-- Whether a payer may be written to, and how that came about.

-- Channels on which a payer must have opted in. Meta demands it for WhatsApp; a
-- notice about one's own failed payment by email or SMS is implied.
ALTER TABLE organizations
  ADD COLUMN opt_in_channels text[] NOT NULL DEFAULT '{whatsapp}'
  CONSTRAINT opt_in_channels_are_channels CHECK (opt_in_channels <@ ARRAY['email', 'sms', 'whatsapp']);

-- What a payer has said to being written to. Addresses are in lower case.
CREATE TABLE consents (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organizations (id),
  channel text NOT NULL CHECK (channel IN ('email', 'sms', 'whatsapp')),
  address text NOT NULL,
  state text NOT NULL CHECK (state IN ('granted', 'withdrawn')),
  -- Where it was said: checkout, report, support.
  source text NOT NULL CHECK (length(source) BETWEEN 1 AND 64),
  -- What shows it: a sentence, the id of a form.
  evidence text CHECK (length(evidence) <= 1000),
  -- When it was said.
  at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  UNIQUE (organization_id, channel, address)
);
CREATE INDEX consents_newest ON consents (organization_id, id DESC);

-- An address may be suppressed for several reasons, and lifting one must not
-- lift another. Writers that know of no id get one made here.
ALTER TABLE suppressions
  ADD COLUMN id uuid NOT NULL
  DEFAULT (left(uuid7_floor(now())::text, 14) || '7' || right(gen_random_uuid()::text, 21))::uuid;
CREATE UNIQUE INDEX suppressions_by_address ON suppressions (organization_id, channel, address, reason);
CREATE UNIQUE INDEX suppressions_id ON suppressions (id);
ALTER TABLE suppressions DROP CONSTRAINT suppressions_pkey;
ALTER TABLE suppressions ADD CONSTRAINT suppressions_pkey PRIMARY KEY USING INDEX suppressions_id;
CREATE INDEX suppressions_newest ON suppressions (organization_id, id DESC);
-- START lifts a payer's own STOP wherever it holds.
CREATE INDEX suppressions_to_lift ON suppressions (channel, address) WHERE reason = 'opted_out';

-- A STOP that cannot be told whom it is for holds for everyone who writes from
-- that channel's sender.
CREATE TABLE shared_suppressions (
  channel text NOT NULL CHECK (channel IN ('sms', 'whatsapp')),
  address text NOT NULL,
  reason text NOT NULL CHECK (reason = 'opted_out'),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (channel, address)
);

-- Every change to either, and who made it.
CREATE TABLE contact_changes (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organizations (id),
  channel text NOT NULL,
  address text NOT NULL,
  change text NOT NULL CHECK (change IN ('granted', 'withdrawn', 'suppressed', 'lifted')),
  -- A consent's source, a suppression's reason.
  reason text NOT NULL,
  evidence text,
  actor text NOT NULL,
  trace_id text,
  at timestamptz NOT NULL
);
CREATE INDEX contact_changes_newest ON contact_changes (organization_id, id DESC);
CREATE INDEX contact_changes_by_address ON contact_changes (organization_id, address, id DESC);

-- Replies that were commands, each of which is obeyed once: a STOP that is
-- delivered again after a START must not undo it. Replies are rare and rows small.
CREATE TABLE obeyed_replies (
  provider text NOT NULL,
  message_id text NOT NULL,
  received_at timestamptz NOT NULL,
  PRIMARY KEY (provider, message_id)
);

-- Receipts name a message by the provider's id of it, replies by the payer's number.
CREATE INDEX notifications_by_provider_id ON notifications (provider, provider_message_id)
  WHERE provider_message_id IS NOT NULL;
CREATE INDEX notifications_by_number ON notifications (address, id) WHERE channel IN ('sms', 'whatsapp');

-- The one place that says whether an address may be written to: null, or what
-- keeps it from being. Older rows may hold an address as it was given.
CREATE FUNCTION why_unreachable(organization uuid, way text, payer text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT coalesce(
    (SELECT 'suppressed:' || s.reason FROM suppressions s
     WHERE s.organization_id = organization AND s.channel = way AND s.address IN (lower(payer), payer)
     ORDER BY s.id LIMIT 1),
    (SELECT 'suppressed:' || s.reason FROM shared_suppressions s
     WHERE s.channel = way AND s.address = lower(payer)),
    (SELECT CASE WHEN c.state = 'withdrawn' THEN 'withdrawn'
                 WHEN c.state IS NULL AND way = ANY (o.opt_in_channels) THEN 'no_opt_in' END
     FROM organizations o
     LEFT JOIN consents c ON c.organization_id = o.id AND c.channel = way AND c.address = lower(payer)
     WHERE o.id = organization))
$$;
