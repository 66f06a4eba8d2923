-- Why nothing more is wanted of an object that was heard of ahead of a failure:
-- 'paid', 'disputed' or 'cancelled'. No CHECK: it would read the whole table.
ALTER TABLE paid_objects ADD COLUMN why text NOT NULL DEFAULT 'paid';

-- When a charge was last sent, and the payment's newest charge before that: what
-- a look-up tells our charge by, whoever makes it. NULL: not sent yet.
ALTER TABLE open_charges ADD COLUMN sent_at timestamptz;
ALTER TABLE open_charges ADD COLUMN charge_before text;

-- Payments that came in for a transaction, by every id that the PSP names them
-- by: one more that has none of these ids is a second payment.
CREATE TABLE received_payments (
  organization_id uuid NOT NULL REFERENCES organizations (id),
  provider text NOT NULL,
  object_id text NOT NULL,
  transaction_id uuid NOT NULL,
  received_at timestamptz NOT NULL,
  PRIMARY KEY (organization_id, provider, object_id)
);
CREATE INDEX received_payments_of ON received_payments (organization_id, transaction_id);

-- Payments on their way: authorized and not captured, or by a means that takes
-- days. While one is, its recovery rests. What is over stays over, in whatever
-- order the PSP tells.
CREATE TABLE payments_underway (
  organization_id uuid NOT NULL REFERENCES organizations (id),
  provider text NOT NULL,
  payment_id text NOT NULL,
  -- What it pays for (an order, an invoice), to be found by a later failure.
  bill text,
  -- NULL until a failure of the same payment or bill is heard of.
  transaction_id uuid,
  standing text NOT NULL CHECK (standing IN ('underway', 'over')),
  since timestamptz NOT NULL,
  -- When it is over at the latest.
  until timestamptz NOT NULL,
  PRIMARY KEY (organization_id, provider, payment_id)
);
CREATE INDEX payments_underway_of ON payments_underway (organization_id, transaction_id)
  WHERE standing = 'underway';
CREATE INDEX payments_underway_unclaimed ON payments_underway (organization_id, provider, bill)
  WHERE transaction_id IS NULL;
CREATE INDEX payments_underway_by_age ON payments_underway (until);
