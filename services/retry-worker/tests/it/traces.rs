//! One trace from the report to the charge; work of a later day starts its own.

use chrono::TimeDelta;
use db::timeline::Entry;
use db::{Cause, Tenant};
use domain::id::RecoveryId;
use domain::schedule::Step;
use domain::{AttemptKind, RecoveryState};

use crate::failed_payment::{charges, record};
use crate::stage::Stage;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn cause(stage: &Stage, ago: TimeDelta) -> Cause {
    Cause {
        at: stage.now() - ago,
        actor: "api".to_owned(),
        traceparent: Some(format!("00-{TRACE}-00f067aa0ba902b7-01")),
        tracestate: None,
    }
}

async fn entry(stage: &Stage, tenant: Tenant, recovery: RecoveryId, kind: &str) -> Entry {
    let mut conn = stage.api.db.read().await.unwrap();
    let entries = db::timeline::of_recovery(&mut conn, tenant, recovery, 100).await;
    let mut entries = entries.unwrap().into_iter();
    let found = entries.find(|entry| entry.kind == kind);
    found.expect("it is in the timeline")
}

#[tokio::test(flavor = "multi_thread")]
async fn plan_and_charge_that_follow_soon_continue_the_reports_trace() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let payment = stage.fail_payment("insufficient_funds", &["ok"]).await;
    let tx = stage.api.db.begin(cause(&stage, TimeDelta::zero())).await;
    let recovery = record(&stage.api, tx.unwrap(), &shop, &payment).await;
    let worker = stage.worker();
    stage
        .until(shop.tenant, recovery, RecoveryState::Recovered)
        .await;
    worker.stop().await;

    let attempts = stage.attempts(shop.tenant, recovery).await;
    let planned_in = attempts[0].traceparent.as_deref().unwrap();
    assert!(planned_in.contains(TRACE), "{planned_in}");
    assert!(
        !planned_in.contains("00f067aa0ba902b7"),
        "a span of its own"
    );
    for kind in [
        "attempt.scheduled",
        "attempt.succeeded",
        "recovery.recovered",
    ] {
        let entry = entry(&stage, shop.tenant, recovery, kind).await;
        assert_eq!(entry.trace_id.as_deref(), Some(TRACE), "{kind}");
        assert_eq!(entry.actor, "retry-worker");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_that_was_planned_long_before_starts_a_trace_of_its_own() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let (_, recovery) = stage.failed(&shop, "insufficient_funds", &["ok"]).await;
    let long_ago = cause(&stage, TimeDelta::minutes(10));
    let mut tx = stage.api.db.begin(long_ago).await.unwrap();
    let new = Step {
        number: 1,
        kind: AttemptKind::Charge,
        channels: Vec::new(),
        why: "planned ten minutes ago".to_owned(),
        due_at: stage.now(),
    };
    db::attempts::schedule(&mut tx, shop.tenant, recovery, &new)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let worker = stage.worker();
    stage
        .until(shop.tenant, recovery, RecoveryState::Recovered)
        .await;
    worker.stop().await;
    let entry = entry(&stage, shop.tenant, recovery, "attempt.succeeded").await;
    let trace = entry.trace_id.expect("a trace of its own");
    assert_ne!(trace, TRACE);
}
