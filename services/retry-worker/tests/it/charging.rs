//! Charges: made when they may be, not made when they may not.

use domain::{AttemptKind, AttemptState, RecoveryState};
use retry_worker::attempts;
use serde_json::json;

use crate::failed_payment::{amount, charges, policy};
use crate::stage::{KEY, PATIENCE, Stage, opener};

#[tokio::test(flavor = "multi_thread")]
async fn a_card_short_of_funds_is_recovered_by_the_second_charge() {
    let stage = Stage::new().await;
    let step = json!({ "delay_seconds": 1, "action": "charge" });
    let shop = stage.shop(&policy(&json!([step, step]))).await;
    let (payment, recovery) = stage
        .failed(&shop, "insufficient_funds", &["insufficient_funds", "ok"])
        .await;
    let worker = stage.worker();
    let recovered = stage
        .until(shop.tenant, recovery, RecoveryState::Recovered)
        .await;
    worker.stop().await;

    assert_eq!(recovered.recovered.unwrap().minor(), 1234);
    assert_eq!(recovered.recovered_by.as_deref(), Some("charge"));
    let attempts = stage.attempts(shop.tenant, recovery).await;
    let states: Vec<_> = attempts.iter().map(|attempt| attempt.state).collect();
    assert_eq!(states, [AttemptState::Declined, AttemptState::Succeeded]);
    // A second after the failure, and a second after the first charge.
    let spent = attempts[1].updated_at - recovered.opened_at;
    assert!(spent >= chrono::TimeDelta::seconds(2), "{spent}");

    let charged = stage.charges_by_us(&payment.intent).await;
    assert_eq!(charged.len(), 2);
    assert_eq!(stage.successes(&payment.intent).await, 1);
    for (charge, attempt) in charged.iter().zip(&attempts) {
        let key = charge["idempotency_key"].as_str().unwrap();
        assert_eq!(key, attempt.id.to_string());
        assert_eq!(charge["charge"].as_str(), attempt.charge_ref.as_deref());
    }
    let told = stage.timeline(shop.tenant, recovery).await;
    assert_eq!(
        told,
        [
            "attempt.scheduled",
            "attempt.declined",
            "attempt.scheduled",
            "attempt.succeeded",
            "recovery.recovered"
        ]
    );
    assert_eq!(stage.count("open_charges").await, 0);
    assert_eq!(stage.count("outbox WHERE stream = 'failures'").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hard_decline_is_never_charged() {
    let stage = Stage::new().await;
    let charge = json!({ "delay_seconds": 0, "action": "charge" });
    let write = json!({ "delay_seconds": 0, "action": "message", "channels": ["email"] });
    let shop = stage.shop(&policy(&json!([charge, write, charge]))).await;
    let (payment, recovery) = stage.failed(&shop, "lost_card", &["ok"]).await;
    let worker = stage.worker();
    testkit::eventually(PATIENCE, async || {
        stage.recovery(shop.tenant, recovery).await.plan_done
    })
    .await;
    worker.stop().await;
    let attempts = stage.attempts(shop.tenant, recovery).await;
    let kinds: Vec<_> = attempts.iter().map(|attempt| attempt.kind).collect();
    assert_eq!(kinds, [AttemptKind::Message]);
    assert!(stage.charges_by_us(&payment.intent).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_that_is_declined_for_good_is_the_last() {
    let stage = Stage::new().await;
    let charge = json!({ "delay_seconds": 0, "action": "charge" });
    let write = json!({ "delay_seconds": 0, "action": "message", "channels": ["email"] });
    let shop = stage.shop(&policy(&json!([charge, charge, write]))).await;
    let (payment, recovery) = stage
        .failed(&shop, "insufficient_funds", &["stolen_card", "ok"])
        .await;
    let worker = stage.worker();
    testkit::eventually(PATIENCE, async || {
        let recovery = stage.recovery(shop.tenant, recovery).await;
        recovery.plan_done || !recovery.state.is_open()
    })
    .await;
    worker.stop().await;
    assert_eq!(stage.charges_by_us(&payment.intent).await.len(), 1);
    let attempts = stage.attempts(shop.tenant, recovery).await;
    assert_eq!(attempts[0].outcome_code.as_deref(), Some("stolen_card"));
    let kinds: Vec<_> = attempts.iter().map(|attempt| attempt.kind).collect();
    assert_eq!(kinds, [AttemptKind::Charge, AttemptKind::Message]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_made_elsewhere_before_the_due_charge_is_found_and_nothing_is_charged() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let (payment, recovery) = stage.failed(&shop, "insufficient_funds", &["ok"]).await;
    let asked = json!({ "key": KEY, "payment_intent": payment.intent });
    stage.control("stripe/pay_elsewhere", &asked).await;
    let worker = stage.worker();
    let recovered = stage
        .until(shop.tenant, recovery, RecoveryState::Recovered)
        .await;
    worker.stop().await;
    assert_eq!(recovered.recovered_by.as_deref(), Some("elsewhere"));
    assert!(stage.charges_by_us(&payment.intent).await.is_empty());
    assert_eq!(stage.successes(&payment.intent).await, 1);
    let states = stage.states(shop.tenant, recovery).await;
    assert_eq!(states, [AttemptState::Cancelled]);
}

#[tokio::test]
async fn a_payment_that_the_merchant_cancels_at_the_psp_ends_its_recovery() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(2)).await;
    let (payment, recovery) = stage.planned(&shop).await;
    let cancel = stage.url(&format!(
        "/stripe/v1/payment_intents/{}/cancel",
        payment.intent
    ));
    let cancelled = reqwest::Client::new()
        .post(cancel)
        .bearer_auth(KEY)
        .send()
        .await;
    cancelled.unwrap().error_for_status().unwrap();

    let worker = stage.parts();
    stage.act(&worker).await;
    let ended = stage.recovery(shop.tenant, recovery).await;
    assert_eq!(ended.state, RecoveryState::Cancelled);
    assert!(stage.charges_by_us(&payment.intent).await.is_empty());
    assert_eq!(stage.count("open_charges").await, 0);
}

#[tokio::test]
async fn a_charge_that_meets_a_payment_through_the_link_is_told_to_the_merchant() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let (payment, recovery) = stage.planned(&shop).await;
    let worker = stage.parts();
    // The worst case: the payer's payment is recorded when the charge has been
    // sent and not yet answered, which everything before a charge rules out.
    stage
        .fault("/confirm", 1, json!({ "mode": "slow", "ms": 800 }))
        .await;
    let claimed = stage.claim(worker.id, stage.now() + worker.lease).await;
    let acting = tokio::spawn({
        let worker = worker.clone();
        async move { attempts::act(&worker, claimed).await }
    });
    let id = payment.intent.clone();
    testkit::eventually(std::time::Duration::from_secs(5), || async {
        stage.count("open_charges").await == 1
    })
    .await;
    let mut tx = stage.tx().await;
    let by = db::recoveries::RecoveredBy::Link;
    let paid = db::ending::recovered(&mut tx, shop.tenant, recovery, amount(), by, None, "paid");
    assert!(paid.await.unwrap());
    tx.commit().await.unwrap();
    acting.await.unwrap();
    assert_eq!(stage.successes(&id).await, 1);
    let timeline = stage.timeline(shop.tenant, recovery).await;
    assert!(
        timeline.iter().any(|kind| kind == "payment.twice"),
        "{timeline:?}"
    );
}

#[tokio::test]
async fn a_recovery_that_is_cancelled_between_claim_and_charge_is_not_charged() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(2)).await;
    let (payment, recovery) = stage.planned(&shop).await;
    let worker = stage.parts();
    let claimed = stage.claim(worker.id, stage.now() + worker.lease).await;

    let mut tx = stage.tx().await;
    let cancelled = RecoveryState::Cancelled;
    let ended = db::ending::ended(&mut tx, shop.tenant, recovery, cancelled, "not wanted");
    assert!(ended.await.unwrap());
    tx.commit().await.unwrap();

    attempts::act(&worker, claimed).await;
    assert!(stage.charges_by_us(&payment.intent).await.is_empty());
    let states = stage.states(shop.tenant, recovery).await;
    assert_eq!(states, [AttemptState::Cancelled]);
    assert_eq!(stage.count("open_charges").await, 0);
}

#[tokio::test]
async fn a_charge_whose_connection_is_gone_gives_way_to_a_message() {
    let stage = Stage::new().await;
    let charge = json!({ "delay_seconds": 0, "action": "charge" });
    let write = json!({ "delay_seconds": 0, "action": "message", "channels": ["email"] });
    let shop = stage.shop(&policy(&json!([charge, write]))).await;
    let (payment, recovery) = stage.planned(&shop).await;
    let client = stage.database.connect().await;
    let gone = "UPDATE psp_connections SET disabled_at = now()";
    client.batch_execute(gone).await.unwrap();
    stage.act(&stage.parts()).await;
    assert!(stage.charges_by_us(&payment.intent).await.is_empty());
    let attempts = stage.attempts(shop.tenant, recovery).await;
    let states: Vec<_> = attempts.iter().map(|it| (it.kind, it.state)).collect();
    assert_eq!(
        states,
        [
            (AttemptKind::Charge, AttemptState::Cancelled),
            (AttemptKind::Message, AttemptState::Scheduled)
        ]
    );
}

#[tokio::test]
async fn a_wrong_master_key_gives_no_charge_up() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let (payment, recovery) = stage.planned(&shop).await;
    let mut worker = stage.parts();
    let other = format!("k1:{}", "B".repeat(42) + "A=");
    let mut settings = stage.settings();
    settings.connections.master_key = other.into();
    worker.psps = opener(&settings);
    stage.act(&worker).await;
    let states = stage.states(shop.tenant, recovery).await;
    assert_eq!(states, [AttemptState::Scheduled]);
    assert_eq!(stage.count("open_charges").await, 0);

    let right = stage.worker();
    stage
        .until(shop.tenant, recovery, RecoveryState::Recovered)
        .await;
    right.stop().await;
    assert_eq!(stage.successes(&payment.intent).await, 1);
}
