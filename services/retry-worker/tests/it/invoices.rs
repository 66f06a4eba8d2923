//! Bills are charged as bills, beside a PSP that retries them by itself.

use domain::id::RecoveryId;
use domain::{AttemptState, RecoveryState};
use serde_json::{Value, json};

use crate::failed_payment::{Payment, Shop, charges};
use crate::stage::{KEY, Stage};

/// A recovery of an invoice whose first charge was declined, with a charge planned.
async fn planned(stage: &Stage, shop: &Shop, outcomes: &[&str]) -> (Payment, String, RecoveryId) {
    let (payment, invoice) = stage.fail_invoice("insufficient_funds", outcomes).await;
    let recovery = stage.record(shop, &payment).await;
    let named = format!("UPDATE transactions SET payment_ref = '{invoice}'");
    let client = stage.database.connect().await;
    client.batch_execute(&named).await.unwrap();
    stage.plan(shop.tenant, recovery).await;
    (payment, invoice, recovery)
}

async fn invoice_at_the_psp(stage: &Stage, invoice: &str) -> Value {
    let url = stage.url(&format!("/stripe/v1/invoices/{invoice}"));
    let answer = stage.http.get(url).basic_auth(KEY, Some("")).send().await;
    answer.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn an_invoice_is_paid_as_an_invoice_under_the_attempts_key() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let (payment, invoice, recovery) = planned(&stage, &shop, &["ok"]).await;
    let attempt = stage.act(&stage.parts()).await;
    let recovered = stage.recovery(shop.tenant, recovery).await;
    assert_eq!(recovered.state, RecoveryState::Recovered);
    assert_eq!(recovered.recovered_by.as_deref(), Some("charge"));
    assert_eq!(invoice_at_the_psp(&stage, &invoice).await["status"], "paid");
    let charged = stage.charges_by_us(&payment.intent).await;
    assert_eq!(charged.len(), 1);
    assert_eq!(charged[0]["idempotency_key"], attempt.id.to_string());
    let stored = stage.attempts(shop.tenant, recovery).await;
    let named = stored[0].charge_ref.as_deref();
    assert_eq!(charged[0]["charge"].as_str(), named, "its charge is known");
}

#[tokio::test]
async fn a_declined_invoice_stays_open_and_its_advice_counts() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(2)).await;
    let (_, invoice, recovery) = planned(&stage, &shop, &["lost_card"]).await;
    stage.act(&stage.parts()).await;
    let attempts = stage.attempts(shop.tenant, recovery).await;
    assert_eq!(attempts[0].state, AttemptState::Declined);
    assert_eq!(attempts[0].outcome_code.as_deref(), Some("lost_card"));
    assert_eq!(invoice_at_the_psp(&stage, &invoice).await["status"], "open");
}

#[tokio::test]
async fn a_bill_that_the_psps_own_retry_has_paid_is_not_charged_again() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let (payment, invoice, recovery) = planned(&stage, &shop, &["ok"]).await;
    let named = json!({ "key": KEY, "invoice": invoice });
    stage.control("stripe/retry_invoice", &named).await;
    stage.act(&stage.parts()).await;
    let recovered = stage.recovery(shop.tenant, recovery).await;
    assert_eq!(recovered.state, RecoveryState::Recovered);
    assert_eq!(recovered.recovered_by.as_deref(), Some("elsewhere"));
    assert!(stage.charges_by_us(&payment.intent).await.is_empty());
}

#[tokio::test]
async fn a_charge_gives_way_to_the_psps_own_retry_that_is_near() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let (payment, invoice, recovery) = planned(&stage, &shop, &["ok"]).await;
    let soon = json!({ "key": KEY, "invoice": invoice, "in_seconds": 600 });
    stage.control("stripe/try_next_at", &soon).await;
    stage.act(&stage.parts()).await;
    let attempts = stage.attempts(shop.tenant, recovery).await;
    assert_eq!(attempts[0].state, AttemptState::Scheduled);
    let wait = attempts[0].due_at - stage.now();
    assert!(wait > chrono::TimeDelta::minutes(60), "{wait}");
    assert!(stage.charges_by_us(&payment.intent).await.is_empty());
}

#[tokio::test]
async fn a_voided_invoice_ends_its_recovery() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let (payment, invoice, recovery) = planned(&stage, &shop, &["ok"]).await;
    let url = stage.url(&format!("/stripe/v1/invoices/{invoice}/void"));
    let voided = stage.http.post(url).basic_auth(KEY, Some("")).send().await;
    voided.unwrap().error_for_status().unwrap();
    stage.act(&stage.parts()).await;
    let ended = stage.recovery(shop.tenant, recovery).await;
    assert_eq!(ended.state, RecoveryState::Cancelled);
    assert!(stage.charges_by_us(&payment.intent).await.is_empty());
}
