//! Every plan is kept with what it was made from; a held-out recovery is watched only.

use domain::schedule::DecisionRecord;
use domain::{AttemptState, RecoveryState};
use retry_worker::{attempts, housekeeping};
use serde_json::{Value, json};

use crate::failed_payment::{charges, message, policy};
use crate::stage::Stage;

/// The policy with an experiment that deals everybody the one arm.
fn dealing(mut policy: Value, experiment: Value) -> Value {
    policy["experiment"] = experiment;
    policy
}

fn all_held_out() -> Value {
    json!({ "key": "everybody waits", "hold_out": 10_000 })
}

#[tokio::test]
async fn every_step_and_the_end_keep_a_record_that_gives_the_same_decision_again() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(2)).await;
    let outcomes = ["insufficient_funds", "insufficient_funds"];
    let (_, recovery) = stage.failed(&shop, "insufficient_funds", &outcomes).await;
    stage.plan(shop.tenant, recovery).await;
    let worker = stage.parts();
    stage.act(&worker).await;
    // The second charge waits for its pause; only that it was decided counts here.
    let stored = stage.recovery(shop.tenant, recovery).await;
    let mut conn = stage.api.db.read().await.unwrap();
    let kept = db::decisions::of_recovery(&mut conn, &stored, 10)
        .await
        .unwrap();
    let outcomes: Vec<_> = kept.iter().map(|it| it.outcome.as_str()).collect();
    assert_eq!(outcomes, ["act", "act"]);
    let planned = stage.attempts(shop.tenant, recovery).await;
    for (decision, attempt) in kept.iter().zip(&planned) {
        assert_eq!(decision.attempt, Some(attempt.id));
        assert_eq!(decision.words, attempt.why);
        assert_eq!(decision.policy, Some(shop.policy));
        assert_eq!(decision.policy_version, Some(1));
        let record: DecisionRecord = serde_json::from_value(decision.record.clone()).unwrap();
        assert_eq!(record.rule_pack, decision.rule_pack);
        assert_eq!(record.replay().unwrap(), record.decision);
    }
}

#[tokio::test]
async fn a_recovery_that_is_held_out_is_planned_to_wait_and_ends_when_its_time_is_over() {
    let stage = Stage::new().await;
    let shop = stage.shop(&dealing(charges(3), all_held_out())).await;
    let (payment, recovery) = stage.failed(&shop, "insufficient_funds", &["ok"]).await;
    stage.hear_of(recovery).await;
    let stored = stage.recovery(shop.tenant, recovery).await;
    assert!(stored.assigned.arm.hold_out && stored.state.is_open() && stored.plan_done);
    assert!(stage.attempts(shop.tenant, recovery).await.is_empty());
    stage.let_time_run_out(recovery).await;
    assert_eq!(housekeeping::close_due(&stage.api).await.unwrap(), 1);
    let ended = stage.recovery(shop.tenant, recovery).await;
    assert_eq!(ended.state, RecoveryState::Expired);
    assert!(ended.end_reason.unwrap().contains("held out"));
    assert!(stage.charges_by_us(&payment.intent).await.is_empty());
}

#[tokio::test]
async fn a_step_of_a_held_out_recovery_is_refused_whoever_planned_it() {
    let stage = Stage::new().await;
    for steps in [charges(1), message(&["email"])] {
        let shop = stage.shop(&steps).await;
        let (payment, recovery) = stage.waiting(&shop).await;
        let client = stage.database.connect().await;
        let hold = format!(
            "UPDATE recoveries SET hold_out = true WHERE id = '{}'",
            recovery.uuid()
        );
        client.batch_execute(&hold).await.unwrap();
        let worker = stage.parts();
        let claimed = stage.claim(worker.id, stage.now() + worker.lease).await;
        attempts::act(&worker, claimed).await;
        let states = stage.states(shop.tenant, recovery).await;
        assert_eq!(states, [AttemptState::Cancelled]);
        assert!(stage.charges_by_us(&payment.intent).await.is_empty());
    }
    assert_eq!(stage.count("notifications").await, 0);
}

#[tokio::test]
async fn a_variant_changes_what_is_done_and_is_kept_with_the_decision() {
    let stage = Stage::new().await;
    let variant = json!({
        "key": "write first",
        "variants": [{ "name": "writes", "weight": 10_000, "changes": {
            "steps": [{ "delay_seconds": 0, "action": "message", "channels": ["email"] }],
        } }],
    });
    let shop = stage.shop(&dealing(charges(1), variant)).await;
    let (_, recovery) = stage.planned(&shop).await;
    let planned = stage.attempts(shop.tenant, recovery).await;
    assert_eq!(planned[0].kind, domain::AttemptKind::Message);
    let stored = stage.recovery(shop.tenant, recovery).await;
    assert_eq!(stored.assigned.variant(), Some("writes"));
    let mut conn = stage.api.db.read().await.unwrap();
    let kept = db::decisions::of_recovery(&mut conn, &stored, 10).await;
    assert_eq!(kept.unwrap()[0].variant.as_deref(), Some("writes"));
}

#[tokio::test]
async fn an_end_without_the_money_asks_for_what_the_policy_wants_done() {
    let stage = Stage::new().await;
    let mut asking = policy(&json!([{ "delay_seconds": 0, "action": "charge" }]));
    asking["final_action"] = json!("cancel_subscription");
    let shop = stage.shop(&asking).await;
    let (_, recovery) = stage.planned(&shop).await;
    stage.let_time_run_out(recovery).await;
    assert_eq!(housekeeping::close_due(&stage.api).await.unwrap(), 1);
    let told = stage.timeline(shop.tenant, recovery).await;
    let last: Vec<_> = told.iter().rev().take(2).map(String::as_str).collect();
    assert_eq!(last, ["recovery.final_action", "recovery.expired"]);
    let asked = "timeline WHERE kind = 'recovery.final_action'
                 AND detail->>'final_action' = 'cancel_subscription'";
    assert_eq!(stage.count(asked).await, 1);
}
