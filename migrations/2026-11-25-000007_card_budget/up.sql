-- The budget of tries that networks, rails and laws leave a card, whoever makes them.

-- What a transaction was tried with: the number as the PSP knows it, its issuer's
-- country (ISO 3166-1 alpha-2), and the way that the money takes.
ALTER TABLE transactions
  ADD COLUMN card_fingerprint text,
  ADD COLUMN card_country text,
  ADD COLUMN rail text;

-- A card or mandate of one merchant. Its row is locked while a try on it is
-- reserved or recorded, so that two workers see one truth. A means that turns out
-- to be a card that is known by its fingerprint names it, for good.
CREATE TABLE cards (
  organization_id uuid NOT NULL REFERENCES organizations (id),
  card_key text NOT NULL CHECK (length(card_key) BETWEEN 1 AND 400),
  same_as text,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (organization_id, card_key)
);

-- One try on a card. Ours have their attempt's id, and are there before the
-- charge is sent; an open one counts as if it were declined.
CREATE TABLE card_tries (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  card_key text NOT NULL,
  transaction_id uuid NOT NULL,
  at timestamptz NOT NULL,
  tried_by text NOT NULL CHECK (tried_by IN ('us', 'psp', 'payer')),
  outcome text NOT NULL CHECK (outcome IN ('open', 'declined', 'approved')),
  amount_minor bigint NOT NULL CHECK (amount_minor > 0),
  currency text NOT NULL,
  -- The try's own id at the PSP, by which two reports of it are told to be one.
  charge_ref text,
  -- The network's own codes with a decline.
  decline_code text,
  advice_code text,
  updated_at timestamptz NOT NULL
) PARTITION BY RANGE (id);
CREATE INDEX card_tries_by_card ON card_tries (organization_id, card_key, at DESC);

-- An attempt, and with it its try, is born when it is planned, which may be months
-- before the charge; the rules look 60 days back from there.
INSERT INTO partitioned_tables (name, keep_months) VALUES ('card_tries', 9);
CREATE TABLE card_tries_default PARTITION OF card_tries DEFAULT;
SELECT ensure_partitions(now(), 3);
