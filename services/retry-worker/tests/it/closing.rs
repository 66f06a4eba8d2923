//! Recoveries whose time is over are closed, and say how they ended.

use chrono::TimeDelta;
use db::attempts::Reserved;
use domain::id::RecoveryId;
use domain::{AttemptState, RecoveryState};
use retry_worker::housekeeping;
use uuid::Uuid;

use crate::failed_payment::charges;
use crate::stage::Stage;

impl Stage {
    /// The payer's time to pay was over a second ago.
    pub(crate) async fn let_time_run_out(&self, recovery: RecoveryId) {
        let over = format!(
            "UPDATE recoveries SET closes_at = now() - interval '1 second' WHERE id = '{}'",
            recovery.uuid()
        );
        let client = self.database.connect().await;
        client.batch_execute(&over).await.unwrap();
    }
}

#[tokio::test]
async fn with_every_step_taken_it_is_exhausted_and_with_steps_left_expired() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let (_, taken) = stage.failed(&shop, "insufficient_funds", &["ok"]).await;
    let (_, left) = stage.planned(&shop).await;
    let (_, young) = stage.failed(&shop, "insufficient_funds", &["ok"]).await;
    let mut tx = stage.tx().await;
    let until = tx.now() - TimeDelta::seconds(1);
    db::recoveries::finish_plan(&mut tx, shop.tenant, taken, until)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    stage.let_time_run_out(left).await;

    assert_eq!(housekeeping::close_due(&stage.api).await.unwrap(), 2);
    assert_eq!(housekeeping::close_due(&stage.api).await.unwrap(), 0);
    for (recovery, expected) in [
        (taken, RecoveryState::Exhausted),
        (left, RecoveryState::Expired),
        (young, RecoveryState::Open),
    ] {
        assert_eq!(stage.recovery(shop.tenant, recovery).await.state, expected);
    }
    let states = stage.states(shop.tenant, left).await;
    assert_eq!(states, [AttemptState::Cancelled]);
    let told = stage.timeline(shop.tenant, taken).await;
    assert_eq!(told.last().map(String::as_str), Some("recovery.exhausted"));
}

#[tokio::test]
async fn one_whose_charge_is_under_way_waits_for_its_outcome() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let (_, recovery) = stage.planned(&shop).await;
    let attempt = stage
        .claim(Uuid::from_u128(7), stage.now() + TimeDelta::minutes(1))
        .await;
    let mut tx = stage.tx().await;
    let reserved = db::attempts::open_charge(&mut tx, &attempt, Uuid::from_u128(7)).await;
    assert_eq!(reserved.unwrap(), Reserved::Yes);
    tx.commit().await.unwrap();
    stage.let_time_run_out(recovery).await;
    assert_eq!(housekeeping::close_due(&stage.api).await.unwrap(), 0);
    let stands = stage.recovery(shop.tenant, recovery).await.state;
    assert_eq!(stands, RecoveryState::Open);
}

#[tokio::test(flavor = "multi_thread")]
async fn housekeepers_of_two_workers_close_a_recovery_once() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let mut recoveries = Vec::new();
    for _ in 0..20 {
        let (_, recovery) = stage.failed(&shop, "insufficient_funds", &["ok"]).await;
        recoveries.push(recovery);
        stage.let_time_run_out(recovery).await;
    }
    let (one, other) = tokio::join!(
        housekeeping::close_due(&stage.api),
        housekeeping::close_due(&stage.api)
    );
    assert_eq!(one.unwrap() + other.unwrap(), 20);
    let told = "timeline WHERE kind = 'recovery.expired'";
    assert_eq!(stage.count(told).await, 20);
}
