//! A PSP in trouble: nothing is charged twice, and nothing is given up.

use domain::{AttemptState, RecoveryState};
use serde_json::{Value, json};

use crate::failed_payment::charges;
use crate::stage::Stage;

/// As often as one request is tried, so that its trouble reaches the attempt.
const TRIES: u32 = 3;

/// Runs a worker against a fault and answers the kinds of the timeline, after
/// the recovery was recovered by one success.
async fn recovered_despite(path: &str, times: u32, mode: Value) -> Vec<String> {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    stage.fault(path, times, mode).await;
    let (payment, recovery) = stage.failed(&shop, "insufficient_funds", &["ok"]).await;
    let worker = stage.worker();
    let recovered = stage
        .until(shop.tenant, recovery, RecoveryState::Recovered)
        .await;
    worker.stop().await;
    assert_eq!(recovered.recovered_by.as_deref(), Some("charge"));
    assert_eq!(stage.charges_by_us(&payment.intent).await.len(), 1);
    assert_eq!(stage.successes(&payment.intent).await, 1);
    let states = stage.states(shop.tenant, recovery).await;
    assert_eq!(states, [AttemptState::Succeeded]);
    assert_eq!(stage.count("open_charges").await, 0);
    stage.timeline(shop.tenant, recovery).await
}

fn has(timeline: &[String], kind: &str) -> bool {
    timeline.iter().any(|it| it == kind)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_that_was_made_and_not_heard_of_is_settled_by_a_look_up() {
    let mode = json!({ "mode": "timeout_after_acting", "ms": 0 });
    let timeline = recovered_despite("/confirm", TRIES, mode).await;
    assert!(has(&timeline, "attempt.in_doubt"), "{timeline:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_that_never_arrived_is_made_under_the_same_key_after_a_look_up() {
    let mode = json!({ "mode": "drop_before_acting" });
    let timeline = recovered_despite("/confirm", TRIES, mode).await;
    assert!(has(&timeline, "attempt.in_doubt"), "{timeline:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_that_is_in_doubt_twice_is_made_once() {
    let mode = json!({ "mode": "drop_before_acting" });
    let timeline = recovered_despite("/confirm", TRIES * 2, mode).await;
    let doubts = timeline.iter().filter(|kind| *kind == "attempt.in_doubt");
    assert_eq!(doubts.count(), 2, "{timeline:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_psp_that_fails_while_it_charges_is_asked_before_it_is_charged_again() {
    let mode = json!({ "mode": "fail", "status": 500 });
    let timeline = recovered_despite("/confirm", TRIES, mode).await;
    assert!(has(&timeline, "attempt.in_doubt"), "{timeline:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_psp_that_wants_fewer_requests_gets_the_charge_later() {
    let mode = json!({ "mode": "rate_limited" });
    let timeline = recovered_despite("/confirm", TRIES, mode).await;
    assert!(has(&timeline, "attempt.handed_back"), "{timeline:?}");
    assert!(!has(&timeline, "attempt.in_doubt"), "{timeline:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_psp_that_fails_before_anything_is_charged_gets_the_charge_later() {
    let mode = json!({ "mode": "fail", "status": 500 });
    let timeline = recovered_despite("/payment_intents/", TRIES, mode).await;
    assert!(has(&timeline, "attempt.handed_back"), "{timeline:?}");
    assert!(!has(&timeline, "attempt.in_doubt"), "{timeline:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_in_doubt_that_went_through_recovers_even_what_was_cancelled_meanwhile() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let mode = json!({ "mode": "timeout_after_acting", "ms": 0 });
    stage.fault("/confirm", TRIES, mode).await;
    let (payment, recovery) = stage.planned(&shop).await;
    stage.act(&stage.parts()).await;
    let states = stage.states(shop.tenant, recovery).await;
    assert_eq!(states, [AttemptState::InDoubt]);
    assert_eq!(
        stage.count("open_charges").await,
        1,
        "nothing else may charge"
    );

    let mut tx = stage.tx().await;
    let cancelled = RecoveryState::Cancelled;
    let ended = db::ending::ended(&mut tx, shop.tenant, recovery, cancelled, "not wanted");
    assert!(ended.await.unwrap());
    tx.commit().await.unwrap();

    let worker = stage.worker();
    stage
        .until(shop.tenant, recovery, RecoveryState::Recovered)
        .await;
    worker.stop().await;
    assert_eq!(stage.successes(&payment.intent).await, 1);
}
