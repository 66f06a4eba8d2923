//! Hosted checkouts at Stripe.

use chrono::TimeDelta;
use psp::{CheckoutStatus, Closing, PaymentRef, PspError};
use serde_json::{Value, json};

use crate::server::{Reply, Server};
use crate::setup::{checkout_until, noon, stripe};

fn session(status: &str, payment_status: &str) -> Value {
    json!({
        "id": "cs_1", "url": "https://checkout.example.com/c/cs_1", "status": status,
        "payment_status": payment_status, "payment_intent": "pi_9",
        "expires_at": noon().timestamp() + 3_600
    })
}

fn not_open() -> Reply {
    Reply::json(
        400,
        &json!({"error": {"type": "invalid_request_error", "message": "only open ones"}}),
    )
}

fn intent(status: &str) -> Reply {
    let body = json!({"id": "pi_9", "status": status, "amount": 4200, "currency": "eur"});
    Reply::json(200, &body)
}

#[tokio::test]
async fn a_checkout_leads_back_to_its_recovery_by_every_way() {
    let server = Server::playing([Reply::json(200, &session("open", "unpaid"))]).await;
    let request = checkout_until(TimeDelta::hours(2));
    let hosted = stripe(&server).open_checkout(&request).await.unwrap();
    assert_eq!(hosted.reference, "cs_1");
    assert_eq!(hosted.url.as_str(), "https://checkout.example.com/c/cs_1");
    assert_eq!(hosted.expires_at, noon() + TimeDelta::hours(1));

    let seen = &server.seen()[0];
    assert_eq!(seen.line(), "POST /stripe/v1/checkout/sessions");
    let (key, recovery) = (request.checkout.to_string(), request.recovery.to_string());
    assert_eq!(seen.header("idempotency-key"), key);
    let form = seen.form();
    let expected = [
        ("mode", "payment"),
        ("client_reference_id", &key),
        ("line_items[0][quantity]", "1"),
        ("line_items[0][price_data][currency]", "eur"),
        ("line_items[0][price_data][unit_amount]", "4200"),
        (
            "line_items[0][price_data][product_data][name]",
            "Annual plan",
        ),
        ("customer_email", "payer@example.com"),
        ("success_url", "https://pay.example.com/done?a=1&b=2"),
        ("cancel_url", "https://pay.example.com/back"),
        ("expires_at", &(noon().timestamp() + 7_200).to_string()),
        ("metadata[tinko_recovery_id]", &recovery),
        ("metadata[transaction_ref]", "invoice-2026-17"),
        (
            "payment_intent_data[metadata][tinko_recovery_id]",
            &recovery,
        ),
        (
            "payment_intent_data[metadata][transaction_ref]",
            "invoice-2026-17",
        ),
    ];
    for (name, value) in expected {
        assert_eq!(form[name], value, "{name}");
    }
    assert_eq!(form.len(), expected.len());
}

#[tokio::test]
async fn an_end_that_stripe_would_refuse_is_moved_into_its_limits() {
    for (wanted, minutes) in [
        (TimeDelta::minutes(1), 30..=60),
        (TimeDelta::days(30), 23 * 60..=24 * 60),
    ] {
        let server = Server::playing([Reply::json(200, &session("open", "unpaid"))]).await;
        let request = checkout_until(wanted);
        stripe(&server).open_checkout(&request).await.unwrap();
        let end: i64 = server.seen()[0].form()["expires_at"].parse().unwrap();
        let after = (end - noon().timestamp()) / 60;
        assert!(minutes.contains(&after), "{after}");
    }
}

#[tokio::test]
async fn a_checkout_asked_for_twice_is_the_same_request() {
    let open = Reply::json(200, &session("open", "unpaid"));
    let server = Server::playing([open.clone(), open]).await;
    let (psp, request) = (stripe(&server), checkout_until(TimeDelta::minutes(1)));
    let first = psp.open_checkout(&request).await.unwrap();
    assert_eq!(psp.open_checkout(&request).await.unwrap(), first);
    let seen = server.seen();
    assert_eq!(seen[0].body, seen[1].body);
}

#[tokio::test]
async fn closing_tells_who_was_quicker() {
    let cases = [
        (
            vec![Reply::json(200, &session("expired", "unpaid"))],
            Closing::Closed,
        ),
        (
            vec![not_open(), Reply::json(200, &session("complete", "paid"))],
            Closing::AlreadyPaid,
        ),
        (
            vec![not_open(), Reply::json(200, &session("expired", "unpaid"))],
            Closing::AlreadyGone,
        ),
        (
            vec![
                not_open(),
                Reply::json(200, &session("complete", "unpaid")),
                intent("processing"),
            ],
            Closing::PaymentUnderway,
        ),
    ];
    for (script, expected) in cases {
        let server = Server::playing(script).await;
        let closing = stripe(&server).close_checkout("cs_1").await.unwrap();
        assert_eq!(closing, expected);
        let seen = server.seen();
        assert_eq!(
            seen[0].line(),
            "POST /stripe/v1/checkout/sessions/cs_1/expire"
        );
        assert!(!seen[0].header("idempotency-key").is_empty());
    }
}

#[tokio::test]
async fn a_session_that_stays_open_is_not_said_to_be_closed() {
    let script = [not_open(), Reply::json(200, &session("open", "unpaid"))];
    let server = Server::playing(script).await;
    let refused = stripe(&server).close_checkout("cs_1").await;
    assert!(matches!(refused, Err(PspError::Refused { .. })));
}

#[tokio::test]
async fn a_session_handed_in_stands_where_its_payment_does() {
    let paid = CheckoutStatus::Paid {
        payment: PaymentRef::stripe("pi_9"),
    };
    for (status, expected) in [
        ("succeeded", paid),
        ("processing", CheckoutStatus::PaymentUnderway),
        ("requires_payment_method", CheckoutStatus::Expired),
    ] {
        let handed_in = Reply::json(200, &session("complete", "unpaid"));
        let server = Server::playing([handed_in, intent(status)]).await;
        let found = stripe(&server).checkout_status("cs_1").await.unwrap();
        assert_eq!(found, expected);
    }
}
