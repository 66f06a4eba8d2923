//! A charge takes one of the tries that the rules leave its card, and gives it
//! back if nothing was sent.

use chrono::TimeDelta;
use db::card_tries::{self, Card, Known, Reported};
use domain::AttemptState;
use domain::id::RecoveryId;
use domain::limits::{TriedBy, TryOutcome};
use serde_json::json;
use uuid::Uuid;

use crate::failed_payment::{Payment, Shop, amount, charges, policy};
use crate::stage::Stage;

fn card(shop: &Shop, payment: &Payment) -> Card {
    Card::of(Some(shop.connection), None, Some(&payment.method)).unwrap()
}

impl Stage {
    async fn tries(&self, shop: &Shop, payment: &Payment) -> Known {
        let conn = self.api.db.read().await.unwrap();
        let card = card(shop, payment);
        card_tries::recent(&conn, shop.tenant, &card, self.now())
            .await
            .unwrap()
    }

    /// Tries of the PSP's own on the payment's card, each an hour after the other.
    async fn retried_by_psp(
        &self,
        shop: &Shop,
        payment: &Payment,
        recovery: RecoveryId,
        times: i32,
    ) {
        let transaction = self.recovery(shop.tenant, recovery).await.transaction;
        for hour in 1..=times {
            let mut tx = self.tx().await;
            let charge = format!("ch_psp_{hour}");
            let new = Reported {
                transaction,
                amount: amount(),
                at: tx.now() - TimeDelta::hours(1) * hour,
                by: TriedBy::Psp,
                outcome: TryOutcome::Declined,
                charge: Some(&charge),
                decline_code: None,
                advice_code: None,
            };
            let card = card(shop, payment);
            card_tries::record(&mut tx, shop.tenant, &card, &new)
                .await
                .unwrap();
            tx.commit().await.unwrap();
        }
    }
}

fn ours(known: &Known) -> Vec<TryOutcome> {
    let ours = known.tries.iter().filter(|tried| tried.by == TriedBy::Us);
    ours.map(|tried| tried.outcome).collect()
}

#[tokio::test]
async fn a_card_that_the_psp_has_used_up_is_not_charged_before_there_is_room() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let (payment, recovery) = stage.planned(&shop).await;
    stage.retried_by_psp(&shop, &payment, recovery, 21).await;
    let mut tx = stage.tx().await;
    let closes_at = tx.now() + TimeDelta::days(60);
    db::recoveries::finish_plan(&mut tx, shop.tenant, recovery, closes_at)
        .await
        .unwrap();
    tx.commit().await.unwrap();

    stage.act(&stage.parts()).await;
    assert!(stage.charges_by_us(&payment.intent).await.is_empty());
    let attempt = stage.attempts(shop.tenant, recovery).await.remove(0);
    assert_eq!(attempt.state, AttemptState::Scheduled);
    // The oldest reattempt was made twenty hours ago.
    let frees = stage.now() + TimeDelta::days(30) - TimeDelta::hours(20);
    assert!((attempt.due_at - frees).abs() < TimeDelta::minutes(1));
    let told = stage.timeline(shop.tenant, recovery).await;
    assert!(told.contains(&"attempt.put_off".to_owned()), "{told:?}");
    assert_eq!(
        attempt.outcome.unwrap().split(": ").next(),
        Some("The charge is put off")
    );
    assert!(ours(&stage.tries(&shop, &payment).await).is_empty());
    assert_eq!(stage.count("open_charges").await, 0);
}

#[tokio::test]
async fn a_charge_that_would_wait_beyond_the_recoverys_end_gives_way_to_a_message() {
    let stage = Stage::new().await;
    let charge = json!({ "delay_seconds": 0, "action": "charge" });
    let write = json!({ "delay_seconds": 0, "action": "message", "channels": ["email"] });
    let shop = stage.shop(&policy(&json!([charge, write]))).await;
    let (payment, recovery) = stage.planned(&shop).await;
    stage.retried_by_psp(&shop, &payment, recovery, 21).await;
    stage.act(&stage.parts()).await;
    assert!(stage.charges_by_us(&payment.intent).await.is_empty());
    let states = stage.states(shop.tenant, recovery).await;
    assert_eq!(states, [AttemptState::Cancelled, AttemptState::Scheduled]);
}

#[tokio::test]
async fn a_decline_is_counted_and_tells_the_card_of_the_means() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let payment = stage.fail_payment("insufficient_funds", &[]).await;
    let recovery = stage.record(&shop, &payment).await;
    stage.plan(shop.tenant, recovery).await;
    stage.act(&stage.parts()).await;
    let states = stage.states(shop.tenant, recovery).await;
    assert_eq!(states, [AttemptState::Declined]);
    let known = stage.tries(&shop, &payment).await;
    assert_eq!(ours(&known), [TryOutcome::Declined]);
    assert_eq!(
        known.last_decline.unwrap().decline_code.as_deref(),
        Some("51")
    );
    let told = "cards WHERE card_key LIKE '%:pm:%' AND same_as LIKE '%:fp:%'";
    assert_eq!(stage.count(told).await, 1);
    assert_eq!(
        stage.count("card_tries WHERE card_key LIKE '%:fp:%'").await,
        1
    );
}

#[tokio::test]
async fn a_charge_in_doubt_holds_its_try_and_a_paid_one_counts_as_approved() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let mode = json!({ "mode": "timeout_after_acting", "ms": 0 });
    stage.fault("/confirm", 3, mode).await;
    let (payment, _) = stage.planned(&shop).await;
    stage.act(&stage.parts()).await;
    assert_eq!(
        ours(&stage.tries(&shop, &payment).await),
        [TryOutcome::Open]
    );
    let worker = stage.worker();
    testkit::eventually(crate::stage::PATIENCE, async || {
        ours(&stage.tries(&shop, &payment).await) == [TryOutcome::Approved]
    })
    .await;
    worker.stop().await;
}

#[tokio::test]
async fn a_charge_that_the_psp_could_not_be_asked_about_gives_its_try_back() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    stage
        .fault(
            "/payment_intents/",
            1_000,
            json!({ "mode": "fail", "status": 500 }),
        )
        .await;
    let (payment, recovery) = stage.planned(&shop).await;
    stage.act(&stage.parts()).await;
    let states = stage.states(shop.tenant, recovery).await;
    assert_eq!(states, [AttemptState::Scheduled]);
    assert!(ours(&stage.tries(&shop, &payment).await).is_empty());
}

#[tokio::test]
async fn an_attempt_whose_worker_died_before_it_reserved_is_held_to_the_rules() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let (payment, recovery) = stage.planned(&shop).await;
    stage.retried_by_psp(&shop, &payment, recovery, 21).await;
    let dead = Uuid::from_u128(66);
    stage.claim(dead, stage.now() - TimeDelta::seconds(1)).await;
    let worker = stage.parts();
    let now = stage.now();
    let mut conn = stage.api.db.read().await.unwrap();
    let lease = now + worker.lease;
    let nothing = db::attempts::UnderWay::default();
    let claiming = db::attempts::claim_unsettled(&mut conn, worker.id, now, lease, 1, nothing);
    let taken = claiming.await;
    drop(conn);
    let taken = taken.unwrap().pop().unwrap();
    assert_eq!(taken.state, AttemptState::InDoubt);
    retry_worker::attempts::act(&worker, taken).await;
    assert!(stage.charges_by_us(&payment.intent).await.is_empty());
    let states = stage.states(shop.tenant, recovery).await;
    assert_eq!(states[0], AttemptState::Cancelled);
    assert_eq!(stage.count("open_charges").await, 0);
}
