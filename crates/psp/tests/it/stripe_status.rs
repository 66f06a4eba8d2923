//! Where a payment at Stripe stands.

use psp::{PaymentRef, PaymentStatus, PspError};
use serde_json::{Value, json};

use crate::server::{Reply, Server};
use crate::setup::{euros, stripe};

async fn status_of(id: &str, script: &[Value]) -> Result<PaymentStatus, PspError> {
    let server = Server::playing(script.iter().map(|body| Reply::json(200, body))).await;
    stripe(&server)
        .payment_status(&PaymentRef::stripe(id))
        .await
}

fn intent(status: &str) -> Value {
    json!({
        "id": "pi_1", "status": status, "amount": 4200, "amount_received": 4000,
        "currency": "eur", "latest_charge": {"id": "ch_3", "object": "charge"},
        "last_payment_error": {"code": "expired_card", "charge": "ch_3"}
    })
}

#[tokio::test]
async fn a_paid_intent_tells_what_was_received() {
    let paid = PaymentStatus::Succeeded {
        charge: Some("ch_3".into()),
        amount: euros(4_000),
    };
    assert_eq!(
        status_of("pi_1", &[intent("succeeded")]).await.unwrap(),
        paid
    );
}

#[tokio::test]
async fn a_failed_intent_tells_its_newest_charge_and_why() {
    for status in ["requires_payment_method", "requires_action"] {
        let failed = status_of("pi_1", &[intent(status)]).await.unwrap();
        let PaymentStatus::Failed {
            latest_charge,
            decline,
            ..
        } = failed
        else {
            panic!("{failed:?}");
        };
        assert_eq!(latest_charge.as_deref(), Some("ch_3"));
        assert_eq!(decline.unwrap().code.as_deref(), Some("expired_card"));
    }
}

#[tokio::test]
async fn a_state_that_stripe_has_not_documented_is_not_guessed() {
    assert_eq!(
        status_of("pi_1", &[intent("processing")]).await.unwrap(),
        PaymentStatus::Pending
    );
    assert_eq!(
        status_of("pi_1", &[intent("canceled")]).await.unwrap(),
        PaymentStatus::Cancelled
    );
    let odd = status_of("pi_1", &[intent("levitating")]).await;
    assert!(matches!(odd, Err(PspError::Malformed { .. })));
}

#[tokio::test]
async fn an_open_invoice_stands_where_its_intent_does() {
    let open = json!({
        "id": "in_1", "status": "open", "amount_paid": 0, "currency": "eur",
        "payments": {"data": [
            {"is_default": false, "payment": {"payment_intent": "pi_0"}},
            {"is_default": true, "payment": {"payment_intent": "pi_1"}}
        ]}
    });
    let pending = status_of("in_1", &[open.clone(), intent("processing")]).await;
    assert_eq!(pending.unwrap(), PaymentStatus::Pending);
    let outlives = status_of("in_1", &[open, intent("canceled")]).await;
    assert!(matches!(outlives, Ok(PaymentStatus::Failed { .. })));
    let void = json!({"id": "in_1", "status": "void", "amount_paid": 0, "currency": "eur"});
    let cancelled = status_of("in_1", &[void]).await;
    assert_eq!(cancelled.unwrap(), PaymentStatus::Cancelled);
}

#[tokio::test]
async fn an_open_invoice_tells_when_stripe_tries_next_by_itself() {
    let open = |auto: bool| {
        json!({
            "id": "in_1", "status": "open", "amount_paid": 0, "currency": "eur",
            "auto_advance": auto, "next_payment_attempt": 1_790_000_000,
            "payments": {"data": [{"is_default": true, "payment": {"payment_intent": "pi_1"}}]}
        })
    };
    for (auto, next) in [(true, Some(1_790_000_000)), (false, None)] {
        let script = [open(auto), intent("requires_payment_method")];
        let status = status_of("in_1", &script).await.unwrap();
        let PaymentStatus::Failed {
            psp_tries_at,
            decline,
            ..
        } = status
        else {
            panic!("{status:?}");
        };
        assert_eq!(psp_tries_at.map(|at| at.timestamp()), next);
        assert!(decline.is_some());
    }
    let given_up =
        json!({"id": "in_1", "status": "uncollectible", "amount_paid": 0, "currency": "eur"});
    let cancelled = status_of("in_1", &[given_up]).await.unwrap();
    assert_eq!(cancelled, PaymentStatus::Cancelled);
}

#[tokio::test]
async fn a_charge_without_an_intent_is_what_it_is() {
    let failed = json!({
        "id": "ch_1", "status": "failed", "amount": 4200, "currency": "eur",
        "failure_code": "card_declined", "payment_intent": null,
        "outcome": {"reason": "stolen_card", "advice_code": "do_not_try_again"}
    });
    let status = status_of("ch_1", &[failed]).await.unwrap();
    let PaymentStatus::Failed { decline, .. } = status else {
        panic!("{status:?}");
    };
    let decline = decline.unwrap();
    assert_eq!(decline.code.as_deref(), Some("card_declined"));
    assert_eq!(decline.advice_code.as_deref(), Some("do_not_try_again"));
}

#[tokio::test]
async fn another_psps_payment_is_not_asked_for() {
    let server = Server::playing([]).await;
    let asked = stripe(&server)
        .payment_status(&PaymentRef::razorpay("pay_1"))
        .await;
    assert!(matches!(asked, Err(PspError::Refused { status: None, .. })));
    assert!(server.seen().is_empty());
}
