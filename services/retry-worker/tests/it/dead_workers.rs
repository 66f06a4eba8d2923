//! A worker that died holding a charge: another one settles it.

use chrono::TimeDelta;
use domain::RecoveryState;
use uuid::Uuid;

use crate::failed_payment::charges;
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
    let (tenant, now) = (shop.tenant, stage.now());
    let mut tx = stage.tx().await;
    let reserved = db::attempts::open_charge(&mut tx, tenant, recovery, attempt.id).await;
    assert!(reserved.unwrap());
    let before = Some(payment.charge.as_str());
    let marked = db::attempts::mark_sent(tx.conn(), tenant, attempt.id, before, now).await;
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

    let worker = stage.parts();
    let now = stage.now();
    let mut conn = stage.api.db.read().await.unwrap();
    let (lease, nothing) = (now + worker.lease, db::attempts::UnderWay::default());
    let claiming = db::attempts::claim_unsettled(&mut conn, worker.id, now, lease, 1, nothing);
    let taken = claiming.await;
    let taken = taken.unwrap().pop().unwrap();
    drop(conn);
    retry_worker::attempts::act(&worker, taken.clone()).await;
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
    let (_, recovery) = stage.planned(&shop).await;
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
