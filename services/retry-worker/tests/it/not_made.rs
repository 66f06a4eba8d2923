//! Charges in doubt that are not there, and those that nobody can look up.

use chrono::TimeDelta;
use domain::{AttemptState, RecoveryState};
use serde_json::json;

use crate::failed_payment::charges;
use crate::stage::Stage;

/// Lets everything about the recovery's charge be so much older, and its next look due.
async fn let_pass(stage: &Stage, by: TimeDelta) {
    let seconds = by.num_seconds();
    let older = format!(
        "UPDATE open_charges SET opened_at = opened_at - interval '{seconds} s',
                                 sent_at = sent_at - interval '{seconds} s';
         UPDATE attempts SET due_at = due_at - interval '{seconds} s', lease_until = now()
         WHERE state = 'in_doubt';"
    );
    let client = stage.database.connect().await;
    client.batch_execute(&older).await.unwrap();
}

/// Takes the attempt in doubt and looks at it, as the scheduler would.
async fn look(stage: &Stage) {
    let worker = stage.parts();
    let now = stage.now() + TimeDelta::seconds(1);
    let mut conn = stage.api.db.read().await.unwrap();
    let lease = now + worker.lease;
    let nothing = db::attempts::UnderWay::default();
    let claiming = db::attempts::claim_unsettled(&mut conn, worker.id, now, lease, 1, nothing);
    let taken = claiming.await;
    let taken = taken.unwrap().pop().expect("an attempt is in doubt");
    drop(conn);
    retry_worker::attempts::act(&worker, taken).await;
}

#[tokio::test]
async fn a_500_that_the_psp_replays_under_the_key_is_settled_after_minutes_and_charged_anew() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(2)).await;
    let (payment, recovery) = stage.planned(&shop).await;
    let kept = json!({ "mode": "fail_under_key", "status": 500 });
    stage.fault("/confirm", 1, kept).await;
    stage.act(&stage.parts()).await;
    let states = stage.states(shop.tenant, recovery).await;
    assert_eq!(states, [AttemptState::InDoubt]);

    // The same key is answered as before; nothing is given up yet.
    let_pass(&stage, TimeDelta::seconds(30)).await;
    look(&stage).await;
    let states = stage.states(shop.tenant, recovery).await;
    assert_eq!(states, [AttemptState::InDoubt]);
    assert!(stage.charges_by_us(&payment.intent).await.is_empty());

    let_pass(&stage, TimeDelta::minutes(10)).await;
    look(&stage).await;
    let attempts = stage.attempts(shop.tenant, recovery).await;
    let states: Vec<_> = attempts.iter().map(|attempt| attempt.state).collect();
    assert_eq!(states, [AttemptState::Declined, AttemptState::Scheduled]);
    assert_eq!(
        attempts[0].outcome_code.as_deref(),
        Some("processing_error")
    );
    assert_eq!(stage.count("open_charges").await, 0);

    let due = "UPDATE attempts SET due_at = now() WHERE state = 'scheduled'";
    let client = stage.database.connect().await;
    client.batch_execute(due).await.unwrap();
    let second = stage.act(&stage.parts()).await;
    let recovered = stage.recovery(shop.tenant, recovery).await;
    assert_eq!(recovered.state, RecoveryState::Recovered);
    let charged = stage.charges_by_us(&payment.intent).await;
    assert_eq!(charged.len(), 1);
    assert_eq!(charged[0]["idempotency_key"], second.id.to_string());
}

#[tokio::test]
async fn a_charge_that_went_through_is_found_however_late_it_is_looked_at() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let (payment, recovery) = stage.planned(&shop).await;
    let silent = json!({ "mode": "timeout_after_acting", "ms": 0 });
    stage.fault("/confirm", 3, silent).await;
    stage.act(&stage.parts()).await;
    let_pass(&stage, TimeDelta::days(2)).await;
    look(&stage).await;
    let recovered = stage.recovery(shop.tenant, recovery).await;
    assert_eq!(recovered.recovered_by.as_deref(), Some("charge"));
    assert_eq!(stage.successes(&payment.intent).await, 1);
}

#[tokio::test]
async fn a_worker_that_comes_back_after_its_charge_was_settled_sends_nothing() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let (_, recovery) = stage.planned(&shop).await;
    let worker = stage.parts();
    let attempt = stage.claim(worker.id, stage.now() + worker.lease).await;
    let mut conn = stage.api.db.read().await.unwrap();
    let now = stage.now();
    let marked = db::attempts::mark_sent(&mut conn, &attempt, worker.id, None, now).await;
    assert!(!marked.unwrap(), "nothing is reserved for {recovery}");
}

#[tokio::test]
async fn a_charge_whose_connection_is_gone_is_looked_at_ever_more_seldom() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let (_, recovery) = stage.planned(&shop).await;
    let dropped = json!({ "mode": "drop_before_acting" });
    stage.fault("/confirm", 3, dropped).await;
    stage.act(&stage.parts()).await;
    let gone = "UPDATE psp_connections SET disabled_at = now()";
    let client = stage.database.connect().await;
    client.batch_execute(gone).await.unwrap();
    let mut pauses = Vec::new();
    for hours in [0, 2, 24] {
        let_pass(&stage, TimeDelta::hours(hours)).await;
        look(&stage).await;
        let next = "SELECT (extract(epoch FROM lease_until - now()) / 60)::bigint FROM attempts";
        pauses.push(client.query_one(next, &[]).await.unwrap().get::<_, i64>(0));
    }
    assert!(
        pauses[0] < 1 && pauses[1] >= 11 && pauses[2] >= 140,
        "{pauses:?}"
    );
    let states = stage.states(shop.tenant, recovery).await;
    assert_eq!(states, [AttemptState::InDoubt]);
}

#[tokio::test]
async fn nothing_is_charged_while_another_payment_is_on_its_way() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let (payment, recovery) = stage.planned(&shop).await;
    let mut tx = stage.tx().await;
    let stored = stage.recovery(shop.tenant, recovery).await;
    let underway = db::underway::Underway {
        provider: domain::Provider::Stripe,
        payment: "cs_slow",
        bill: None,
        transaction: Some(stored.transaction),
        until: tx.now() + TimeDelta::days(3),
    };
    assert!(
        db::underway::begin(&mut tx, shop.tenant, &underway)
            .await
            .unwrap()
    );
    tx.commit().await.unwrap();
    stage.act(&stage.parts()).await;
    assert!(stage.charges_by_us(&payment.intent).await.is_empty());
    let put_off = stage.attempts(shop.tenant, recovery).await[0].due_at;
    assert!(put_off > stage.now() + TimeDelta::days(2));

    let mut tx = stage.tx().await;
    let until = db::underway::end(&mut tx, shop.tenant, &underway)
        .await
        .unwrap();
    let until = until.expect("it was on its way");
    let resumed = db::attempts::resume(&mut tx, shop.tenant, recovery, until).await;
    assert_eq!(resumed.unwrap(), 1);
    assert!(
        !db::underway::begin(&mut tx, shop.tenant, &underway)
            .await
            .unwrap()
    );
    tx.commit().await.unwrap();
    stage.act(&stage.parts()).await;
    let recovered = stage.recovery(shop.tenant, recovery).await;
    assert_eq!(recovered.state, RecoveryState::Recovered);
}
