//! A paused recovery is neither charged nor written about, whatever was under way.

use chrono::{SubsecRound, TimeDelta};
use db::plan::{Asked, ask};
use domain::{AttemptState, RecoveryState};
use retry_worker::attempts;
use serde_json::json;

use crate::failed_payment::{Shop, charges, message};
use crate::stage::{PATIENCE, Stage, claim_all};

impl Stage {
    async fn pause(&self, shop: &Shop, id: domain::id::RecoveryId) {
        let mut tx = self.tx().await;
        let recovery = db::recoveries::lock(&mut tx, shop.tenant, id)
            .await
            .unwrap();
        let recovery = recovery.unwrap();
        let paused = db::pausing::pause(&mut tx, &recovery, "not now");
        assert!(paused.await.unwrap());
        tx.commit().await.unwrap();
    }

    async fn resume(&self, shop: &Shop, id: domain::id::RecoveryId) {
        let mut tx = self.tx().await;
        let recovery = db::recoveries::lock(&mut tx, shop.tenant, id)
            .await
            .unwrap();
        let recovery = recovery.unwrap();
        let resumed = db::pausing::resume(&mut tx, &recovery, psp::can_charge, "go on");
        assert!(resumed.await.unwrap().is_some());
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn what_was_claimed_before_the_pause_is_not_charged_and_what_is_planned_after_it_is() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(3)).await;
    let (payment, recovery) = stage.planned(&shop).await;
    let worker = stage.parts();
    let claimed = stage.claim(worker.id, stage.now() + worker.lease).await;
    stage.pause(&shop, recovery).await;
    attempts::act(&worker, claimed).await;
    assert!(stage.charges_by_us(&payment.intent).await.is_empty());
    let states = stage.states(shop.tenant, recovery).await;
    assert_eq!(states, [AttemptState::Cancelled]);

    stage.resume(&shop, recovery).await;
    let states = stage.states(shop.tenant, recovery).await;
    assert_eq!(states, [AttemptState::Cancelled, AttemptState::Scheduled]);
    stage.act(&worker).await;
    assert_eq!(stage.successes(&payment.intent).await, 1);
    let recovery = stage.recovery(shop.tenant, recovery).await;
    assert_eq!(recovery.state, RecoveryState::Recovered);
}

#[tokio::test]
async fn what_waits_is_not_claimed_and_a_newer_failure_plans_nothing_while_it_is_paused() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(3)).await;
    let (payment, recovery) = stage.failed(&shop, "insufficient_funds", &["ok"]).await;
    stage.pause(&shop, recovery).await;
    stage.hear_of(recovery).await;
    assert!(stage.attempts(shop.tenant, recovery).await.is_empty());
    let worker = stage.parts();
    let mut conn = stage.api.db.read().await.unwrap();
    let lease = stage.now() + worker.lease;
    let claimed = claim_all(&mut conn, worker.id, stage.now(), lease).await;
    assert!(claimed.is_empty());
    assert!(stage.charges_by_us(&payment.intent).await.is_empty());
}

#[tokio::test]
async fn a_pause_while_the_psp_is_asked_keeps_the_charge_from_being_sent() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(3)).await;
    let (payment, recovery) = stage.planned(&shop).await;
    // The worker has reserved its charge, and asks how the payment stands.
    stage
        .fault(
            "/payment_intents/",
            1,
            json!({ "mode": "slow", "ms": 1_500 }),
        )
        .await;
    let worker = stage.parts();
    let act = async {
        stage.act(&worker).await;
    };
    let pause = async {
        testkit::eventually(PATIENCE, async || stage.count("open_charges").await == 1).await;
        stage.pause(&shop, recovery).await;
    };
    tokio::join!(act, pause);
    assert!(stage.charges_by_us(&payment.intent).await.is_empty());
    assert_eq!(stage.count("open_charges").await, 0);
    let states = stage.states(shop.tenant, recovery).await;
    assert_eq!(states, [AttemptState::Cancelled]);

    stage.resume(&shop, recovery).await;
    stage.act(&worker).await;
    assert_eq!(stage.successes(&payment.intent).await, 1);
}

#[tokio::test]
async fn a_claimed_message_is_not_asked_for_once_its_recovery_is_paused() {
    let stage = Stage::new().await;
    let shop = stage.shop(&message(&["email"])).await;
    let (_, recovery) = stage.waiting(&shop).await;
    let worker = stage.parts();
    let claimed = stage.claim(worker.id, stage.now() + worker.lease).await;
    stage.pause(&shop, recovery).await;
    attempts::act(&worker, claimed).await;
    assert_eq!(stage.count("notifications").await, 0);
    let states = stage.states(shop.tenant, recovery).await;
    assert_eq!(states, [AttemptState::Cancelled]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_is_moved_while_workers_claim_is_either_moved_or_claimed() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(3)).await;
    let worker = stage.parts();
    let (mut moved, mut taken) = (0, 0);
    for _ in 0..20 {
        let (_, recovery) = stage.planned(&shop).await;
        let later = stage.now() + TimeDelta::minutes(5);
        let asked = async {
            let mut tx = stage.tx().await;
            let locked = db::recoveries::lock(&mut tx, shop.tenant, recovery).await;
            let asked = ask(&mut tx, &locked.unwrap().unwrap(), psp::can_charge, later).await;
            tx.commit().await.unwrap();
            asked.unwrap()
        };
        let claim = async {
            let mut conn = stage.api.db.read().await.unwrap();
            let lease = stage.now() + worker.lease;
            claim_all(&mut conn, worker.id, stage.now(), lease).await
        };
        let (asked, claimed) = tokio::join!(asked, claim);
        let attempts = stage.attempts(shop.tenant, recovery).await;
        assert_eq!(attempts.len(), 1);
        match asked {
            Asked::Planned { attempt, step, .. } => {
                moved += 1;
                assert!(claimed.is_empty());
                assert_eq!(attempts[0].state, AttemptState::Scheduled);
                // Postgres keeps microseconds.
                let due_at = step.due_at.trunc_subsecs(6);
                assert_eq!((attempts[0].id, attempts[0].due_at), (attempt, due_at));
                assert!(step.due_at >= later);
            }
            Asked::UnderWay => {
                taken += 1;
                assert_eq!(claimed.len(), 1);
                assert_eq!(attempts[0].state, AttemptState::Claimed);
            }
            Asked::Nothing(why) => panic!("{why}"),
        }
    }
    assert_eq!(moved + taken, 20);
}
