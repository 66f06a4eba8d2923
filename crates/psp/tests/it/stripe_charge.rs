//! What comes of an off-session charge over Stripe.

use domain::limits::Rail;
use psp::{ChargeOutcome, Decline, PaymentRef, PaymentStatus, PspError, TriedMeans};
use serde_json::{Value, json};

use crate::server::{Reply, Server};
use crate::setup::{charge_of, stripe};

fn intent(status: &str) -> Value {
    json!({
        "id": "pi_1", "object": "payment_intent", "status": status, "amount": 4200,
        "amount_received": if status == "succeeded" { 4200 } else { 0 }, "currency": "eur",
        "latest_charge": "ch_1", "last_payment_error": null, "metadata": {}
    })
}

fn refused(status: u16, error: &Value) -> Reply {
    Reply::json(status, &json!({ "error": error }))
}

fn insufficient_funds() -> Value {
    json!({
        "type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds",
        "advice_code": "try_again_later", "network_decline_code": "51",
        "network_advice_code": "02", "message": "Your card has insufficient funds.",
        "charge": "ch_2", "payment_intent": intent("requires_payment_method"),
        "payment_method": {"id": "pm_1", "type": "card", "card": {
            "brand": "Visa", "country": "IN", "fingerprint": "Xt5", "funding": "debit"
        }}
    })
}

/// The outcome of a charge on `payment`, and what was asked.
async fn charge(
    payment: Option<&str>,
    script: Vec<Reply>,
) -> (Result<ChargeOutcome, PspError>, Server) {
    let server = Server::playing(script).await;
    let outcome = stripe(&server).charge(&charge_of(payment)).await;
    (outcome, server)
}

#[tokio::test]
async fn the_merchants_own_intent_is_confirmed_again_with_the_saved_means() {
    let (outcome, server) =
        charge(Some("pi_1"), vec![Reply::json(200, &intent("succeeded"))]).await;
    let succeeded = ChargeOutcome::Succeeded {
        payment: PaymentRef::stripe("pi_1"),
        charge: Some("ch_1".into()),
    };
    assert_eq!(outcome.unwrap(), succeeded);
    let form = server.seen()[0].form();
    assert_eq!(form["payment_method"], "pm_1");
    assert_eq!(form["off_session"], "true");
}

#[tokio::test]
async fn without_a_payment_a_new_intent_is_made_that_leads_back_to_its_recovery() {
    let (outcome, server) = charge(None, vec![Reply::json(200, &intent("succeeded"))]).await;
    assert!(matches!(outcome, Ok(ChargeOutcome::Succeeded { .. })));
    let request = &server.seen()[0];
    assert_eq!(request.line(), "POST /stripe/v1/payment_intents");
    let (form, asked) = (request.form(), charge_of(None));
    let expected = [
        ("amount", "4200"),
        ("currency", "eur"),
        ("customer", "cus_1"),
        ("payment_method", "pm_1"),
        ("confirm", "true"),
        ("off_session", "true"),
        ("metadata[tinko_recovery_id]", &asked.recovery.to_string()),
        ("metadata[tinko_attempt_id]", &asked.attempt.to_string()),
        ("metadata[transaction_ref]", "invoice-2026-17"),
    ];
    assert_eq!(form.len(), expected.len());
    for (name, value) in expected {
        assert_eq!(form[name], value, "{name}");
    }
}

#[tokio::test]
async fn a_decline_keeps_every_code_that_the_issuer_gave_and_tells_the_card() {
    let script = vec![refused(402, &insufficient_funds())];
    let (outcome, _server) = charge(None, script).await;
    let decline = Decline {
        code: Some("card_declined".into()),
        decline_code: Some("insufficient_funds".into()),
        advice_code: Some("try_again_later".into()),
        network_decline_code: Some("51".into()),
        network_advice_code: Some("02".into()),
        network: Some("visa".into()),
        tried: TriedMeans {
            id: Some("pm_1".into()),
            fingerprint: Some("Xt5".into()),
            network: Some("visa".into()),
            country: Some("IN".into()),
            funding: Some("debit".into()),
            rail: Rail::Card,
        },
        message: Some("Your card has insufficient funds.".into()),
        charge: Some("ch_2".into()),
        payment: Some("pi_1".into()),
        source: None,
        step: None,
    };
    assert_eq!(
        decline.signals().code.as_deref(),
        Some("insufficient_funds")
    );
    assert_eq!(outcome.unwrap(), ChargeOutcome::Declined(decline));
}

#[tokio::test]
async fn a_bank_that_wants_the_payer_is_no_plain_decline() {
    let error = json!({
        "type": "card_error", "code": "authentication_required",
        "decline_code": "authentication_required", "charge": "ch_2"
    });
    let (outcome, _server) = charge(Some("pi_1"), vec![refused(402, &error)]).await;
    let Ok(ChargeOutcome::PayerNeeded(decline)) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(decline.payment.as_deref(), Some("pi_1"));

    let script = vec![Reply::json(200, &intent("requires_action"))];
    let (outcome, _server) = charge(Some("pi_1"), script).await;
    assert!(matches!(outcome, Ok(ChargeOutcome::PayerNeeded(_))));
}

#[tokio::test]
async fn a_charge_under_way_is_pending() {
    for status in ["processing", "requires_capture"] {
        let script = vec![Reply::json(200, &intent(status))];
        let (outcome, _server) = charge(Some("pi_1"), script).await;
        let pending = ChargeOutcome::Pending {
            payment: PaymentRef::stripe("pi_1"),
        };
        assert_eq!(outcome.unwrap(), pending, "{status}");
    }
}

#[tokio::test]
async fn a_payment_that_was_paid_meanwhile_is_looked_up_and_counts_as_paid() {
    let unexpected = json!({
        "type": "invalid_request_error", "code": "payment_intent_unexpected_state",
        "message": "You cannot confirm this PaymentIntent because it has already succeeded."
    });
    let script = vec![
        refused(400, &unexpected),
        Reply::json(200, &intent("succeeded")),
    ];
    let (outcome, server) = charge(Some("pi_1"), script).await;
    assert!(matches!(outcome, Ok(ChargeOutcome::Succeeded { .. })));
    assert_eq!(server.lines()[1], "GET /stripe/v1/payment_intents/pi_1");

    let script = vec![
        refused(400, &unexpected),
        Reply::json(200, &intent("canceled")),
    ];
    let (outcome, _server) = charge(Some("pi_1"), script).await;
    let Err(PspError::Refused { code, .. }) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(code.as_deref(), Some("payment_cancelled"));
}

#[tokio::test]
async fn a_request_that_is_wrong_is_refused_and_not_repeated() {
    let error = json!({
        "type": "invalid_request_error", "code": "resource_missing", "param": "payment_method",
        "message": "No such PaymentMethod: 'pm_1'"
    });
    let (outcome, server) = charge(Some("pi_1"), vec![refused(400, &error)]).await;
    let error = outcome.unwrap_err();
    assert!(!error.may_retry() && !error.is_unclear());
    assert!(error.to_string().contains("resource_missing"), "{error}");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn an_invoice_is_paid_as_an_invoice() {
    let paid = json!({"id": "in_1", "status": "paid", "amount_paid": 4200, "currency": "eur"});
    let (outcome, server) = charge(Some("in_1"), vec![Reply::json(200, &paid)]).await;
    let succeeded = ChargeOutcome::Succeeded {
        payment: PaymentRef::stripe("in_1"),
        charge: None,
    };
    assert_eq!(outcome.unwrap(), succeeded);
    assert_eq!(server.lines(), ["POST /stripe/v1/invoices/in_1/pay"]);
    let sent = &server.seen()[0];
    let attempt = charge_of(None).attempt.to_string();
    assert_eq!(sent.header("idempotency-key"), attempt);
    let form = sent.form();
    assert_eq!(
        (&*form["payment_method"], &*form["off_session"]),
        ("pm_1", "true")
    );

    let script = vec![refused(402, &insufficient_funds())];
    let (outcome, _server) = charge(Some("in_1"), script).await;
    assert!(matches!(outcome, Ok(ChargeOutcome::Declined(_))));
}

#[tokio::test]
async fn a_paid_invoice_names_its_charge_where_it_can_and_is_paid_where_it_cannot() {
    let paid = json!({
        "id": "in_1", "status": "paid", "amount_paid": 4200, "currency": "eur",
        "payments": {"data": [{"is_default": true, "payment": {"payment_intent": "pi_1"}}]},
    });
    let named = vec![
        Reply::json(200, &paid),
        Reply::json(200, &intent("succeeded")),
    ];
    let nameless = vec![
        Reply::json(200, &paid),
        Reply::json(404, &json!({"error": {}})),
    ];
    for (script, named) in [(named, true), (nameless, false)] {
        let (outcome, _server) = charge(Some("in_1"), script).await;
        let Ok(ChargeOutcome::Succeeded { charge, .. }) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(charge.is_some(), named);
    }
}

#[tokio::test]
async fn an_invoice_that_was_paid_meanwhile_is_looked_up_and_counts_as_paid() {
    let already = json!({"type": "invalid_request_error", "message": "Invoice is already paid"});
    let paid = json!({"id": "in_1", "status": "paid", "amount_paid": 4200, "currency": "eur"});
    let script = vec![refused(400, &already), Reply::json(200, &paid)];
    let (outcome, _server) = charge(Some("in_1"), script).await;
    assert!(matches!(outcome, Ok(ChargeOutcome::Succeeded { .. })));
}

#[tokio::test]
async fn an_id_that_could_steer_the_request_is_not_sent() {
    for id in ["pi_1/../../refunds", "order_1", "?", "pi_1?x"] {
        let (outcome, server) = charge(Some(id), vec![]).await;
        assert!(
            matches!(outcome, Err(PspError::Refused { status: None, .. })),
            "{id}"
        );
        assert!(server.seen().is_empty());
    }
}

#[tokio::test]
async fn an_attempt_in_doubt_is_found_among_its_customers_payments() {
    let attempt = charge_of(None).attempt;
    let mut other = intent("succeeded");
    other["id"] = "pi_7".into();
    let mut made = intent("succeeded");
    made["id"] = "pi_8".into();
    made["metadata"] = json!({ "tinko_attempt_id": attempt.to_string() });
    let page = |intents: Vec<&Value>, more: bool| {
        Reply::json(
            200,
            &json!({"object": "list", "data": intents, "has_more": more}),
        )
    };
    let script = [
        page(vec![&other], true),
        page(vec![&made], false),
        page(vec![&other], false),
    ];
    let server = Server::playing(script).await;
    let psp = stripe(&server);
    let found = psp.find_charge(attempt, Some("cus_1")).await.unwrap();
    let found = found.unwrap();
    assert_eq!(found.payment, PaymentRef::stripe("pi_8"));
    assert!(matches!(found.status, PaymentStatus::Succeeded { .. }));
    let second = &server.lines()[1];
    assert!(second.contains("customer=cus_1"), "{second}");
    assert!(second.contains("starting_after=pi_7"), "{second}");

    let none = psp.find_charge(attempt, Some("cus_1")).await.unwrap();
    assert_eq!(none, None);
}
