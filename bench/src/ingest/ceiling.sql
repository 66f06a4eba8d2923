-- The rows that one accepted webhook makes, in one transaction: a script of
-- pgbench, which is given :born, the milliseconds of the start, :tick, a count
-- that goes up by one a transaction, so that ids grow with time, and :body, the
-- webhook's body. Where a text has a colon it is written as \x3a: pgbench would take what follows it for a variable.
\set tick :tick + 1
\set ms :born + :tick
\set received random(0, 1152921504606846975)
\set transaction random(0, 1152921504606846975)
\set failure random(0, 1152921504606846975)
\set recovery random(0, 1152921504606846975)
\set entry random(0, 1152921504606846975)
\set plan random(0, 1152921504606846975)
\set event random(0, 1152921504606846975)
\set try random(0, 1152921504606846975)
BEGIN;
INSERT INTO psp_event_keys (organization_id, connection_id, provider_event_id, psp_event_id, received_at)
VALUES ('01900000-0000-7000-8000-000000000001', '01900000-0000-7000-8000-000000000002',
        'evt_3Q' || to_hex(:received::bigint), born_at(:ms, :received), now())
ON CONFLICT DO NOTHING;
INSERT INTO transactions (id, organization_id, transaction_ref, amount_minor, currency, connection_id,
                          payment_ref, saved_customer, saved_payment_method, payment_kind, network,
                          card_fingerprint, card_country, rail,
                          payer_email, payer_phone, payer_name, payer_locale, metadata, created_at, updated_at)
VALUES (born_at(:ms, :transaction), '01900000-0000-7000-8000-000000000001',
        'order-' || to_hex(:transaction::bigint), 4900, 'EUR', '01900000-0000-7000-8000-000000000002',
        'pi_3Q' || to_hex(:transaction::bigint), 'cus_Q' || to_hex(:transaction::bigint),
        'pm_1Q' || to_hex(:transaction::bigint), 'card', 'visa',
        'Xt5E' || to_hex(:transaction::bigint), 'PT', 'card',
        'payer-' || to_hex(:transaction::bigint) || '@example.com', '+351912345678',
        'Payer ' || to_hex(:transaction::bigint), 'en',
        '{"cart": "winter", "locale": "en", "transaction_ref": "order-0001863f7a2c9000000000"}', now(), now())
ON CONFLICT (organization_id, transaction_ref) DO UPDATE SET updated_at = EXCLUDED.updated_at
RETURNING id;
INSERT INTO psp_objects (organization_id, provider, object_id, transaction_id)
SELECT '01900000-0000-7000-8000-000000000001', 'stripe', object_id, born_at(:ms, :transaction)
FROM unnest(ARRAY['pi_3Q' || to_hex(:transaction::bigint), 'ch_3Q' || to_hex(:transaction::bigint)]) AS object_id
ON CONFLICT DO NOTHING;
INSERT INTO failure_keys (organization_id, source, key, failure_event_id, created_at)
VALUES ('01900000-0000-7000-8000-000000000001', 'stripe', 'ch_3Q' || to_hex(:transaction::bigint),
        born_at(:ms, :failure), now())
ON CONFLICT DO NOTHING;
INSERT INTO recoveries (id, organization_id, transaction_id, state, amount_minor, currency, category, hardness,
                        policy_id, opened_at, closes_at, updated_at)
VALUES (born_at(:ms, :recovery), '01900000-0000-7000-8000-000000000001', born_at(:ms, :transaction), 'open',
        4900, 'EUR', 'insufficient_funds', 'soft', '01900000-0000-7000-8000-000000000003',
        now(), now() + interval '1 day', now());
INSERT INTO failure_events (id, organization_id, transaction_id, recovery_id, source, reason, code, advice_code,
                            network_decline_code, message, category, hardness, decided_by, metadata,
                            occurred_at, created_at)
VALUES (born_at(:ms, :failure), '01900000-0000-7000-8000-000000000001', born_at(:ms, :transaction),
        born_at(:ms, :recovery), 'stripe', 'insufficient_funds', 'insufficient_funds', 'try_again_later', '51',
        'Your card has insufficient funds.', 'insufficient_funds', 'soft', 'stripe decline code',
        '{"cart": "winter", "locale": "en", "transaction_ref": "order-0001863f7a2c9000000000"}', now(), now());
INSERT INTO cards (organization_id, card_key, same_as, created_at)
VALUES ('01900000-0000-7000-8000-000000000001',
        E'con_01900000000070008000000000000002\x3apm\x3apm_1Q' || to_hex(:transaction::bigint),
        E'con_01900000000070008000000000000002\x3afp\x3aXt5E' || to_hex(:transaction::bigint), now()),
       ('01900000-0000-7000-8000-000000000001',
        E'con_01900000000070008000000000000002\x3afp\x3aXt5E' || to_hex(:transaction::bigint), NULL, now())
ON CONFLICT DO NOTHING;
INSERT INTO card_tries (id, organization_id, card_key, transaction_id, at, tried_by, outcome, amount_minor,
                        currency, charge_ref, decline_code, updated_at)
VALUES (born_at(:ms, :try), '01900000-0000-7000-8000-000000000001',
        E'con_01900000000070008000000000000002\x3afp\x3aXt5E' || to_hex(:transaction::bigint),
        born_at(:ms, :transaction), now(), 'payer', 'declined', 4900, 'EUR',
        'ch_3Q' || to_hex(:transaction::bigint), '51', now());
INSERT INTO timeline (id, organization_id, recovery_id, at, kind, actor, why, detail, trace_id)
VALUES (born_at(:ms, :entry), '01900000-0000-7000-8000-000000000001', born_at(:ms, :recovery), now(),
        'recovery.opened', 'api', 'The payment failed: the account has too little money in it',
        '{"amount": 4900, "source": "stripe", "category": "insufficient_funds", "currency": "EUR", "hardness": "soft", "decided_by": "stripe decline code", "recovery_id": "rec_01900000000070008000000000000001", "transaction_id": "txn_01900000000070008000000000000001", "transaction_ref": "order-0001863f7a2c9000000000", "failure_event_id": "fev_01900000000070008000000000000001"}',
        '4bf92f3577b34da6a3ce929d0e0e4736');
INSERT INTO psp_events (id, organization_id, connection_id, provider, provider_event_id, kind, body, outcome,
                        trace_id, received_at)
VALUES (born_at(:ms, :received), '01900000-0000-7000-8000-000000000001', '01900000-0000-7000-8000-000000000002',
        'stripe', 'evt_3Q' || to_hex(:received::bigint), 'payment_intent.payment_failed', :body,
        'opened a recovery', '4bf92f3577b34da6a3ce929d0e0e4736', now());
INSERT INTO outbox (id, organization_id, stream, envelope, created_at)
SELECT id, '01900000-0000-7000-8000-000000000001', stream, envelope, now()
FROM unnest(ARRAY[born_at(:ms, :plan), born_at(:ms, :event)], ARRAY['failures', 'events'],
            ARRAY[decode(repeat('6b', 140), 'hex'), decode(repeat('6b', 560), 'hex')])
     AS events (id, stream, envelope);
COMMIT;
