//! A worker that died holding a charge: another one settles it.

use chrono::TimeDelta;
use db::attempts::Reserved;
use domain::{AttemptState, RecoveryState};
use serde_json::json;
use uuid::Uuid;

use crate::failed_payment::{charges, policy};
use crate::stage::{KEY, Stage};

/// The one that died.
const DEAD: Uuid = Uuid::from_u128(66);

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_that_a_dead_worker_had_not_made_is_made_once() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let (payment, recovery) = stage.planned(&shop).await;
    stage.claim(DEAD, stage.now() - TimeDelta::seconds(1)).await;
    let worker = stage.worker();
    stage
        .until(shop.tenant, recovery, RecoveryState::Recovered)
        .await;
    worker.stop().await;
    assert_eq!(stage.charges_by_us(&payment.intent).await.len(), 1);
    assert_eq!(stage.successes(&payment.intent).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_that_a_dead_worker_had_made_is_found_and_not_made_again() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let (payment, recovery) = stage.planned(&shop).await;
    let attempt = stage.claim(DEAD, stage.now() - TimeDelta::seconds(1)).await;
    let now = stage.now();
    let mut tx = stage.tx().await;
    let reserved = db::attempts::open_charge(&mut tx, &attempt, DEAD).await;
    assert_eq!(reserved.unwrap(), Reserved::Yes);
    let before = Some(payment.charge.as_str());
    let marked = db::attempts::mark_sent(tx.conn(), &attempt, DEAD, before, now).await;
    assert!(marked.unwrap());
    tx.commit().await.unwrap();
    let url = stage.url(&format!(
        "/stripe/v1/payment_intents/{}/confirm",
        payment.intent
    ));
    let charged = stage
        .http
        .post(url)
        .basic_auth(KEY, Some(""))
        .header("Idempotency-Key", attempt.id.to_string())
        .form(&[
            ("payment_method", &*payment.method),
            ("off_session", "true"),
        ])
        .send()
        .await
        .unwrap();
    assert!(charged.status().is_success());

    let worker = stage.worker();
    let recovered = stage
        .until(shop.tenant, recovery, RecoveryState::Recovered)
        .await;
    worker.stop().await;
    assert_eq!(recovered.recovered_by.as_deref(), Some("charge"));
    assert_eq!(stage.charges_by_us(&payment.intent).await.len(), 1);
}

/// Stopped right after its claim, by the system or a clock, it goes on when another worker, or its
/// own process, has taken the attempt over, handed it back, claimed it anew and settled it.
#[tokio::test]
async fn a_worker_that_comes_back_to_an_attempt_that_was_settled_neither_reserves_nor_charges() {
    for late in [DEAD, Uuid::from_u128(7)] {
        let stage = Stage::new().await;
        let charge = |seconds| json!({ "delay_seconds": seconds, "action": "charge" });
        let steps = json!([charge(0), charge(300)]);
        let shop = stage.shop(&policy(&steps)).await;
        let outcomes = ["insufficient_funds", "ok"];
        let (payment, recovery) = stage.failed(&shop, "insufficient_funds", &outcomes).await;
        stage.plan(shop.tenant, recovery).await;
        let before = stage.claim(late, stage.now() - TimeDelta::seconds(1)).await;

        let worker = stage.parts();
        stage.take_over(&worker).await;
        let due = "UPDATE attempts SET due_at = now() WHERE state = 'scheduled'";
        let client = stage.database.connect().await;
        client.batch_execute(due).await.unwrap();
        stage.act(&worker).await;
        let settled = [AttemptState::Declined, AttemptState::Scheduled];
        assert_eq!(stage.states(shop.tenant, recovery).await, settled);

        let fails = json!({ "mode": "fail", "status": 500 });
        stage.fault("/confirm", 9, fails).await;
        let mut it = stage.parts();
        it.id = late;
        retry_worker::attempts::act(&it, before).await;
        assert_eq!(stage.fired().await, 0, "nothing is sent by {late}");
        assert_eq!(stage.count("open_charges").await, 0, "by {late}");
        assert_eq!(stage.charges_by_us(&payment.intent).await.len(), 1);
        assert_eq!(stage.states(shop.tenant, recovery).await, settled);
    }
}

#[tokio::test]
async fn a_charge_that_is_taken_over_is_reserved_before_it_is_made() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let (_, recovery) = stage.planned(&shop).await;
    stage.claim(DEAD, stage.now() - TimeDelta::seconds(1)).await;
    assert_eq!(stage.count("open_charges").await, 0, "it died before that");
    // Every look-up fails, so that the attempt stays in doubt.
    let mode = serde_json::json!({ "mode": "fail", "status": 500 });
    stage.fault("/payment_intents/", 1_000, mode).await;

    let taken = stage.take_over(&stage.parts()).await;
    let mut conn = stage.api.db.read().await.unwrap();
    let under_way = db::attempts::charge_under_way(&mut conn, shop.tenant, recovery).await;
    assert_eq!(under_way.unwrap(), Some(taken.id));
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_a_dead_worker_had_not_asked_for_are_asked_for_once() {
    let stage = Stage::new().await;
    let shop = stage
        .shop(&crate::failed_payment::message(&["email"]))
        .await;
    let (_, recovery) = stage.waiting(&shop).await;
    let dead = stage.claim(DEAD, stage.now() - TimeDelta::seconds(1)).await;
    let worker = stage.worker();
    testkit::eventually(crate::stage::PATIENCE, async || {
        stage.recovery(shop.tenant, recovery).await.plan_done
    })
    .await;
    worker.stop().await;
    // It was not dead after all, and comes too late.
    let mut late = stage.parts();
    late.id = DEAD;
    retry_worker::attempts::act(&late, dead).await;
    assert_eq!(stage.count("notifications").await, 1);
    assert_eq!(stage.count("recovery_links").await, 1);
}
