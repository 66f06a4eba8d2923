//! Invoices, Stripe's own retries, refunds, disputes, and what becomes of Razorpay's payments later.

use serde_json::{Value, json};

use crate::harness::{KEY, RAZORPAY, Stage, stage};

async fn kinds(stage: &Stage, provider: &str) -> Vec<String> {
    let answer = stage
        .get(&format!("/_control/events?provider={provider}"))
        .await;
    let events = answer.json();
    let kind = |event: &Value| event["type"].as_str().unwrap().to_owned();
    events.as_array().unwrap().iter().map(kind).collect()
}

async fn failed_invoice(stage: &Stage, outcomes: &[&str]) -> Value {
    let asked = json!({
        "key": KEY, "amount": 1234, "currency": "usd", "decline_code": "insufficient_funds",
        "customer_email": "payer@example.com", "metadata": { "transaction_ref": "order-7" },
        "outcomes_after": outcomes,
    });
    stage.control("stripe/fail_invoice", &asked).await
}

#[tokio::test]
async fn an_invoice_is_tried_by_stripe_itself_until_it_is_paid() {
    let stage = stage().await;
    let failed = failed_invoice(&stage, &["insufficient_funds", "ok"]).await;
    let invoice = failed["invoice"].as_str().unwrap();
    let named = json!({ "key": KEY, "invoice": invoice });
    let tried = stage.control("stripe/retry_invoice", &named).await;
    assert_eq!(
        (&tried["status"], &tried["attempt_count"]),
        (&json!("open"), &json!(2))
    );
    assert!(tried["next_payment_attempt"].is_number());
    let paid = stage.control("stripe/retry_invoice", &named).await;
    assert_eq!(
        (&paid["status"], &paid["amount_paid"]),
        (&json!("paid"), &json!(1234))
    );
    let told = kinds(&stage, "stripe").await;
    let once = |kind: &str| told.iter().filter(|it| *it == kind).count();
    assert_eq!(
        (once("invoice.payment_failed"), once("invoice.paid")),
        (2, 1)
    );
    assert_eq!(once("payment_intent.succeeded"), 1);
}

#[tokio::test]
async fn an_invoice_is_made_finalized_paid_and_not_paid_twice() {
    let stage = stage().await;
    let failed = failed_invoice(&stage, &["ok"]).await;
    let customer = failed["customer"].as_str().unwrap();
    let made = [("customer", customer), ("currency", "usd")];
    let made = stage.stripe("invoices", None, &made).await.json();
    let id = made["id"].as_str().unwrap();
    let line = [("invoice", id), ("amount", "500"), ("currency", "usd")];
    assert_eq!(stage.stripe("invoiceitems", None, &line).await.status, 200);
    let path = |what: &str| format!("invoices/{id}/{what}");
    let finalized = stage.stripe(&path("finalize"), None, &[]).await;
    assert_eq!(finalized.json()["status"], "open");
    let with = [("payment_method", failed["payment_method"].as_str().unwrap())];
    let paid = stage.stripe(&path("pay"), Some("k1"), &with).await;
    assert_eq!(paid.json()["status"], "paid", "{}", paid.text);
    let again = stage.stripe(&path("pay"), Some("k2"), &with).await;
    assert_eq!(again.status, 400);
    assert!(again.text.contains("already paid"));
    let expanded = stage
        .stripe_get(&format!("invoices/{id}?expand[]=payments"))
        .await;
    let intent = &expanded.json()["payments"]["data"][0]["payment"]["payment_intent"];
    assert!(intent.as_str().unwrap().starts_with("pi_"));
}

#[tokio::test]
async fn a_voided_invoice_takes_its_intent_with_it() {
    let stage = stage().await;
    let failed = failed_invoice(&stage, &["ok"]).await;
    let path = format!("invoices/{}/void", failed["invoice"].as_str().unwrap());
    assert_eq!(
        stage.stripe(&path, None, &[]).await.json()["status"],
        "void"
    );
    let told = kinds(&stage, "stripe").await;
    for kind in ["payment_intent.canceled", "invoice.voided"] {
        assert!(told.contains(&kind.to_owned()), "{told:?}");
    }
}

#[tokio::test]
async fn money_goes_back_no_further_than_it_came_and_can_be_disputed() {
    let stage = stage().await;
    let failed = stage.failed_payment(&["ok"]).await;
    stage.retry(&failed, "k").await;
    let part = json!({ "key": KEY, "payment_intent": failed.intent, "amount": 234 });
    stage.control("stripe/refund", &part).await;
    let rest = [("payment_intent", failed.intent.as_str())];
    let rest = stage.stripe("refunds", None, &rest).await;
    assert_eq!(rest.json()["amount"], 1_000);
    let more = [("payment_intent", failed.intent.as_str()), ("amount", "1")];
    assert_eq!(stage.stripe("refunds", None, &more).await.status, 400);
    let named = json!({ "key": KEY, "payment_intent": failed.intent });
    let dispute = stage.control("stripe/dispute", &named).await;
    assert_eq!(dispute["amount"], 1_234);
    let told = kinds(&stage, "stripe").await;
    let refunds = told.iter().filter(|kind| *kind == "charge.refunded");
    assert_eq!(refunds.count(), 2);
    assert!(told.contains(&"charge.dispute.created".to_owned()));
}

#[tokio::test]
async fn a_500_that_is_kept_under_its_key_is_answered_again_and_another_key_acts() {
    let stage = stage().await;
    let failed = stage.failed_payment(&["ok"]).await;
    let rule = json!({
        "target": "stripe", "path_contains": "/confirm", "mode": "fail_under_key",
        "status": 500, "times": 1,
    });
    stage.put("faults", &rule).await;
    for replayed in [None, Some("true")] {
        let answer = stage.retry(&failed, "k1").await;
        assert_eq!(answer.status, 500);
        assert_eq!(answer.header("idempotent-replayed"), replayed);
    }
    assert_eq!(stage.ledger("succeeded=true").await.len(), 0);
    assert_eq!(stage.retry(&failed, "k2").await.status, 200);
}

async fn razorpay_failed(stage: &Stage) -> String {
    let asked = json!({
        "key_id": RAZORPAY.0, "amount": 50_000, "currency": "INR", "error_reason": "payment_timed_out",
    });
    let made = stage.control("razorpay/fail_payment", &asked).await;
    made["payment"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_failed_payment_is_authorized_late_and_captured() {
    let stage = stage().await;
    let payment = razorpay_failed(&stage).await;
    let named = json!({ "key_id": RAZORPAY.0, "payment": payment });
    let late = stage.control("razorpay/authorize_late", &named).await;
    assert_eq!(
        (&late["status"], &late["captured"]),
        (&json!("authorized"), &json!(false))
    );
    let captured = stage
        .razorpay(&format!("payments/{payment}/capture"), &json!({}))
        .await;
    assert_eq!(captured.json()["status"], "captured");
    stage.control("razorpay/dispute", &named).await;
    let refund = stage
        .razorpay(&format!("payments/{payment}/refund"), &json!({}))
        .await;
    assert_eq!(refund.json()["amount"], 50_000);
    let told = kinds(&stage, "razorpay").await;
    let wanted = [
        "payment.failed",
        "payment.authorized",
        "payment.captured",
        "order.paid",
        "payment.dispute.created",
        "refund.processed",
    ];
    assert_eq!(told, wanted);
}

#[tokio::test]
async fn an_authorized_payment_that_nobody_captures_goes_back_and_was_never_captured() {
    let stage = stage().await;
    let payment = razorpay_failed(&stage).await;
    let named = json!({ "key_id": RAZORPAY.0, "payment": payment });
    stage.control("razorpay/authorize_late", &named).await;
    stage.control("razorpay/refund", &named).await;
    let told = stage
        .razorpay_get(&format!("payments/{payment}"))
        .await
        .json();
    assert_eq!(
        (&told["status"], &told["captured"]),
        (&json!("refunded"), &json!(false))
    );
}
