//! Recoveries are compared with the PSP: what was missed is made good, what
//! differs is told, and whoever dies meanwhile is followed by another.

use std::num::NonZeroU32;
use std::time::Duration;

use chrono::TimeDelta;
use db::Tenant;
use db::attempts::Reserved;
use db::recon::{StoredResult, StoredRun};
use db::recoveries::RecoveredBy;
use domain::id::{ReconRunId, RecoveryId};
use domain::reconciliation::{AskedBy, Change, RunState, Verdict};
use domain::{AttemptState, RecoveryState};
use retry_worker::Worker;
use retry_worker::recon::{self, Pace};
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::checkouts::{at_the_checkout, pay};
use crate::failed_payment::{Payment, Shop, amount, charges};
use crate::stage::{KEY, PATIENCE, Stage};

impl Stage {
    async fn asked(&self, tenant: Tenant) -> ReconRunId {
        let mut tx = self.tx().await;
        let run = db::recon::begin(&mut tx, tenant, 30, None).await.unwrap();
        tx.commit().await.unwrap();
        run.expect("none is running")
    }

    async fn run(&self, tenant: Tenant, id: ReconRunId) -> StoredRun {
        let mut conn = self.api.db.read().await.unwrap();
        let found = db::recon::find(&mut conn, tenant, id).await.unwrap();
        found.expect("the comparison is there")
    }

    async fn results(&self, tenant: Tenant, id: ReconRunId) -> Vec<StoredResult> {
        let mut conn = self.api.db.read().await.unwrap();
        let found = db::recon::results(&mut conn, tenant, id, None, 1_000).await;
        found.unwrap()
    }

    /// Claims the one comparison that waits.
    async fn claim_run(&self, worker: &Worker) -> StoredRun {
        let now = self.now();
        let mut conn = self.api.db.read().await.unwrap();
        let claimed = db::recon::claim(&mut conn, worker.id, now, now + worker.lease, 5).await;
        let mut claimed = claimed.unwrap();
        assert_eq!(claimed.len(), 1, "one comparison waits");
        claimed.remove(0)
    }

    /// Compares what the shop has, from beginning to end.
    async fn compare(&self, shop: &Shop) -> (StoredRun, Vec<StoredResult>) {
        let id = self.asked(shop.tenant).await;
        let worker = self.parts();
        let run = self.claim_run(&worker).await;
        recon::take(&worker, &brisk(), run, &CancellationToken::new()).await;
        let run = self.run(shop.tenant, id).await;
        assert_eq!(run.state, RunState::Finished);
        (run, self.results(shop.tenant, id).await)
    }

    /// The payer pays the merchant directly, of which no webhook tells.
    async fn paid_elsewhere(&self, payment: &Payment) {
        let asked = json!({ "key": KEY, "payment_intent": payment.intent });
        self.control("stripe/pay_elsewhere", &asked).await;
    }

    async fn cancelled_at_psp(&self, payment: &Payment) {
        let path = format!("/stripe/v1/payment_intents/{}/cancel", payment.intent);
        let cancel = self.http.post(self.url(&path)).bearer_auth(KEY);
        let cancelled = cancel.send().await.unwrap();
        cancelled.error_for_status().unwrap();
    }

    async fn recovered_here(&self, shop: &Shop, recovery: RecoveryId) {
        let mut tx = self.tx().await;
        let elsewhere = RecoveredBy::Elsewhere;
        let (tenant, amount) = (shop.tenant, amount());
        let news =
            db::ending::recovered(&mut tx, tenant, recovery, amount, elsewhere, None, "told").await;
        assert!(news.unwrap());
        tx.commit().await.unwrap();
    }
}

fn brisk() -> Pace {
    Pace::new(NonZeroU32::new(1_000).unwrap())
}

fn counts(run: &StoredRun) -> [u64; 4] {
    assert_eq!(run.checked, run.ok + run.mismatches + run.unknown);
    [run.checked, run.ok, run.mismatches, run.unknown]
}

fn kinds(result: &StoredResult) -> Vec<&str> {
    let differences = result.differences.as_array().unwrap().iter();
    differences
        .map(|difference| difference["kind"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_payment_that_succeeded_unheard_closes_its_recovery_and_what_waits() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(2)).await;
    let (payment, recovery) = stage.planned(&shop).await;
    let (_, other) = stage.failed(&shop, "insufficient_funds", &["ok"]).await;
    stage.paid_elsewhere(&payment).await;

    let (run, results) = stage.compare(&shop).await;
    assert_eq!(counts(&run), [2, 1, 1, 0]);
    assert_eq!((run.recovered, run.cancelled), (1, 0));
    let recovered = stage.recovery(shop.tenant, recovery).await;
    assert_eq!(recovered.state, RecoveryState::Recovered);
    assert_eq!(recovered.recovered_by.as_deref(), Some("elsewhere"));
    assert_eq!(recovered.recovered, Some(amount()));
    let states = stage.states(shop.tenant, recovery).await;
    assert_eq!(states, [AttemptState::Cancelled]);
    let told = stage.timeline(shop.tenant, recovery).await;
    assert_eq!(told.last().map(String::as_str), Some("recovery.recovered"));
    let result = &results[0];
    assert_eq!(
        (result.recovery, result.verdict),
        (recovery, Verdict::Mismatch)
    );
    assert_eq!(kinds(result), ["paid_at_psp"]);
    assert_eq!(result.change, Change::Recovered);
    assert_eq!(result.payment_ref.as_ref(), Some(&payment.intent));
    let open = stage.recovery(shop.tenant, other).await;
    assert_eq!(open.state, RecoveryState::Open);

    let (again, results) = stage.compare(&shop).await;
    assert_eq!(counts(&again), [2, 2, 0, 0]);
    assert!(results.is_empty(), "what is ok is only counted");
}

#[tokio::test]
async fn what_was_paid_at_our_checkout_counts_for_its_link() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let (_, recovery) = stage.planned(&shop).await;
    let payer = at_the_checkout(&stage, &shop, recovery).await;
    pay(&stage, &payer.session).await;
    let (run, _) = stage.compare(&shop).await;
    assert_eq!((counts(&run), run.recovered), ([1, 0, 1, 0], 1));
    let recovered = stage.recovery(shop.tenant, recovery).await;
    assert_eq!(recovered.recovered_by.as_deref(), Some("link"));
    let used = "recovery_links WHERE state = 'used'";
    assert_eq!(stage.count(used).await, 1);
    let mut conn = stage.api.db.read().await.unwrap();
    let links = db::links::of_recovery(&mut conn, shop.tenant, recovery).await;
    assert_eq!(links.unwrap()[0].id, payer.link);
}

#[tokio::test]
async fn a_payment_that_the_merchant_cancelled_ends_its_recovery_unless_a_charge_is_under_way() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let (payment, recovery) = stage.planned(&shop).await;
    stage.cancelled_at_psp(&payment).await;
    let charger = stage.parts();
    let attempt = stage.claim(charger.id, stage.now() + charger.lease).await;
    let mut tx = stage.tx().await;
    let reserved = db::attempts::open_charge(&mut tx, &attempt, charger.id).await;
    assert_eq!(reserved.unwrap(), Reserved::Yes);
    tx.commit().await.unwrap();
    let (run, results) = stage.compare(&shop).await;
    assert_eq!((counts(&run), run.cancelled), ([1, 0, 1, 0], 0));
    assert_eq!(kinds(&results[0]), ["cancelled_at_psp"]);
    let open = stage.recovery(shop.tenant, recovery).await;
    assert_eq!(open.state, RecoveryState::Open);

    let client = stage.database.connect().await;
    client
        .batch_execute("DELETE FROM open_charges")
        .await
        .unwrap();
    let (run, _) = stage.compare(&shop).await;
    assert_eq!(run.cancelled, 1);
    let ended = stage.recovery(shop.tenant, recovery).await;
    assert_eq!(ended.state, RecoveryState::Cancelled);
}

#[tokio::test]
async fn what_is_recovered_here_and_unpaid_there_is_told_and_left_alone() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let (_, recovery) = stage.failed(&shop, "insufficient_funds", &["ok"]).await;
    stage.recovered_here(&shop, recovery).await;
    let before = stage.timeline(shop.tenant, recovery).await;
    let (run, results) = stage.compare(&shop).await;
    assert_eq!(counts(&run), [1, 0, 1, 0]);
    assert_eq!(kinds(&results[0]), ["not_paid_at_psp"]);
    assert_eq!(results[0].change, Change::None);
    assert_eq!(stage.timeline(shop.tenant, recovery).await, before);
}

#[tokio::test]
async fn what_another_payment_of_the_transaction_paid_is_found_there() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let (_, recovery) = stage.failed(&shop, "insufficient_funds", &["ok"]).await;
    let other = stage.fail_payment("insufficient_funds", &["ok"]).await;
    stage.paid_elsewhere(&other).await;
    stage.recovered_here(&shop, recovery).await;
    let transaction = stage.recovery(shop.tenant, recovery).await.transaction;
    let mut conn = stage.api.db.read().await.unwrap();
    let objects = ["cs_none", &other.intent];
    let stripe = domain::Provider::Stripe;
    db::transactions::claim_objects(&mut conn, shop.tenant, stripe, &objects, transaction)
        .await
        .unwrap();
    drop(conn);
    let (run, _) = stage.compare(&shop).await;
    assert_eq!(counts(&run), [1, 1, 0, 0]);
}

#[tokio::test]
async fn a_psp_that_does_not_answer_leaves_it_unknown_and_everything_as_it_is() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let (payment, recovery) = stage.failed(&shop, "insufficient_funds", &["ok"]).await;
    stage.paid_elsewhere(&payment).await;
    let mode = json!({ "mode": "fail", "status": 500 });
    stage.fault("/payment_intents/", 1_000, mode).await;
    let (run, results) = stage.compare(&shop).await;
    assert_eq!(counts(&run), [1, 0, 0, 1]);
    assert_eq!(results[0].verdict, Verdict::Unknown);
    assert_eq!(results[0].differences, json!([]));
    let open = stage.recovery(shop.tenant, recovery).await;
    assert_eq!(open.state, RecoveryState::Open);
}

#[tokio::test]
async fn a_psp_that_is_down_does_not_keep_the_place_of_others() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    for _ in 0..5 {
        stage.failed(&shop, "insufficient_funds", &["ok"]).await;
    }
    let mode = json!({ "mode": "fail", "status": 500 });
    stage.fault("/payment_intents/", 1_000, mode).await;
    let id = stage.asked(shop.tenant).await;
    let worker = stage.parts();
    for (state, checked) in [(RunState::Running, 3), (RunState::Finished, 5)] {
        let run = stage.claim_run(&worker).await;
        recon::take(&worker, &brisk(), run, &CancellationToken::new()).await;
        let run = stage.run(shop.tenant, id).await;
        assert_eq!((run.state, counts(&run)), (state, [checked, 0, 0, checked]));
    }
}

#[tokio::test]
async fn what_ended_before_the_days_that_were_asked_for_or_has_no_payment_is_not_compared() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let (_, long_ago) = stage.failed(&shop, "insufficient_funds", &["ok"]).await;
    let (_, recent) = stage.failed(&shop, "insufficient_funds", &["ok"]).await;
    let (_, unknown_there) = stage.failed(&shop, "insufficient_funds", &["ok"]).await;
    for recovery in [long_ago, recent] {
        stage.recovered_here(&shop, recovery).await;
    }
    let client = stage.database.connect().await;
    let change = format!(
        "UPDATE recoveries SET closed_at = closed_at - interval '31 days' WHERE id = '{}';
         UPDATE transactions SET payment_ref = NULL
         WHERE id = (SELECT transaction_id FROM recoveries WHERE id = '{}')",
        long_ago.uuid(),
        unknown_there.uuid(),
    );
    client.batch_execute(&change).await.unwrap();
    let (_, results) = stage.compare(&shop).await;
    let compared: Vec<RecoveryId> = results.iter().map(|result| result.recovery).collect();
    assert_eq!(compared, [recent]);
}

/// Recoveries in the walk that follows, every third of them paid unheard.
const BACKLOG: usize = 24;

async fn backlog(stage: &Stage, shop: &Shop) -> Vec<RecoveryId> {
    let mut paid = Vec::new();
    for at in 0..BACKLOG {
        let (payment, recovery) = stage.failed(shop, "insufficient_funds", &["ok"]).await;
        if at % 3 == 0 {
            stage.paid_elsewhere(&payment).await;
            paid.push(recovery);
        }
    }
    paid
}

async fn each_was_compared_once(stage: &Stage, shop: &Shop, id: ReconRunId, paid: &[RecoveryId]) {
    let run = stage.run(shop.tenant, id).await;
    let (all, mismatches) = (BACKLOG as u64, paid.len() as u64);
    assert_eq!(counts(&run), [all, all - mismatches, mismatches, 0]);
    assert_eq!(run.recovered, mismatches);
    let results = stage.results(shop.tenant, id).await;
    let told: Vec<RecoveryId> = results.iter().map(|result| result.recovery).collect();
    assert_eq!(told, paid);
    for recovery in paid {
        let timeline = stage.timeline(shop.tenant, *recovery).await;
        let ends = timeline.iter().filter(|kind| *kind == "recovery.recovered");
        assert_eq!(ends.count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_that_die_at_any_moment_are_followed_and_nothing_is_done_twice_or_missed() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let paid = backlog(&stage, &shop).await;
    let id = stage.asked(shop.tenant).await;
    let mut deaths = 0_u64;
    while stage.run(shop.tenant, id).await.state == RunState::Running {
        let mut worker = stage.parts();
        worker.id = Uuid::from_u128(u128::from(deaths) + 100);
        // Its lease has run out when it dies.
        worker.lease = TimeDelta::zero();
        let run = stage.claim_run(&worker).await;
        let halt = CancellationToken::new();
        let pace = brisk();
        let turn = recon::take(&worker, &pace, run, &halt);
        // Cut off wherever it is: in a look-up, in a transaction, between two. Later ones live
        // longer, so that one gets on however busy the machine is.
        let lived = Duration::from_millis(5 + deaths % 40 * (1 + deaths / 40));
        if tokio::time::timeout(lived, turn).await.is_err() {
            deaths += 1;
        }
    }
    assert!(deaths > 1, "it was cut off in the middle");
    each_was_compared_once(&stage, &shop, id, &paid).await;
}

#[tokio::test]
async fn a_worker_that_comes_late_with_what_it_found_changes_nothing() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let (payment, recovery) = stage.failed(&shop, "insufficient_funds", &["ok"]).await;
    stage.paid_elsewhere(&payment).await;
    let id = stage.asked(shop.tenant).await;
    let (mut late, mut next) = (stage.parts(), stage.parts());
    late.lease = TimeDelta::zero();
    late.id = Uuid::from_u128(66);
    next.id = Uuid::from_u128(67);
    let held_before = stage.claim_run(&late).await;
    let held_now = stage.claim_run(&next).await;
    let halt = CancellationToken::new();
    recon::take(&late, &brisk(), held_before, &halt).await;
    let run = stage.run(shop.tenant, id).await;
    assert_eq!((counts(&run), run.state), ([0; 4], RunState::Running));
    let open = stage.recovery(shop.tenant, recovery).await;
    assert_eq!(open.state, RecoveryState::Open);
    recon::take(&next, &brisk(), held_now, &halt).await;
    let run = stage.run(shop.tenant, id).await;
    assert_eq!(
        (counts(&run), run.state),
        ([1, 0, 1, 0], RunState::Finished)
    );
}

#[tokio::test]
async fn a_worker_that_is_told_to_stop_hands_back_at_once_what_it_has_begun() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    stage.failed(&shop, "insufficient_funds", &["ok"]).await;
    let id = stage.asked(shop.tenant).await;
    let worker = stage.parts();
    let run = stage.claim_run(&worker).await;
    let halt = CancellationToken::new();
    halt.cancel();
    recon::take(&worker, &brisk(), run, &halt).await;
    assert_eq!(stage.run(shop.tenant, id).await.checked, 0);
    // Its lease has not run out: it was given back.
    let run = stage.claim_run(&worker).await;
    recon::take(&worker, &brisk(), run, &CancellationToken::new()).await;
    assert_eq!(stage.run(shop.tenant, id).await.checked, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_make_one_comparison() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(0)).await;
    let paid = backlog(&stage, &shop).await;
    let id = stage.asked(shop.tenant).await;
    let (one, other) = (stage.worker(), stage.worker());
    testkit::eventually(PATIENCE, async || {
        stage.run(shop.tenant, id).await.state == RunState::Finished
    })
    .await;
    one.stop().await;
    other.stop().await;
    each_was_compared_once(&stage, &shop, id, &paid).await;
}

#[tokio::test]
async fn a_connection_is_not_asked_faster_than_its_pace() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    for _ in 0..7 {
        stage.failed(&shop, "insufficient_funds", &["ok"]).await;
    }
    let id = stage.asked(shop.tenant).await;
    let worker = stage.parts();
    let run = stage.claim_run(&worker).await;
    let pace = Pace::new(NonZeroU32::new(20).unwrap());
    let began = Instant::now();
    recon::take(&worker, &pace, run, &CancellationToken::new()).await;
    assert_eq!(counts(&stage.run(shop.tenant, id).await), [7, 7, 0, 0]);
    // Seven look-ups have six gaps of a twentieth of a second between them.
    assert!(began.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn a_psp_that_asks_for_a_rest_is_asked_again_after_it() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    stage.failed(&shop, "insufficient_funds", &["ok"]).await;
    let mode: Value = json!({ "mode": "rate_limited" });
    stage.fault("/payment_intents/", 1, mode).await;
    let (run, _) = stage.compare(&shop).await;
    assert_eq!(counts(&run), [1, 1, 0, 0]);
}

#[tokio::test]
async fn the_daily_comparison_is_begun_once_by_all_replicas_at_the_organizations_own_time() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let mut conn = stage.api.db.read().await.unwrap();
    // Hour by hour through a day: one of them is the organization's.
    let mut slots = Vec::new();
    for hour in 0..24 {
        let at = stage.now() + TimeDelta::hours(hour);
        slots.extend(db::recon::due_daily(&mut conn, at, 10).await.unwrap());
    }
    assert_eq!(slots.len(), 1, "{slots:?}");
    let (tenant, slot) = slots[0];
    assert_eq!(tenant, shop.tenant);

    let begun = async |slot| {
        let mut tx = stage.tx().await;
        let run = db::recon::begin(&mut tx, tenant, 30, Some(slot)).await;
        tx.commit().await.unwrap();
        run.unwrap()
    };
    let (one, other) = tokio::join!(begun(slot), begun(slot));
    let id = one.xor(other).expect("one of the two begins it");
    let worker = stage.parts();
    let run = stage.claim_run(&worker).await;
    assert_eq!(run.asked_by, AskedBy::Schedule);
    recon::take(&worker, &brisk(), run, &CancellationToken::new()).await;
    assert_eq!(stage.run(tenant, id).await.state, RunState::Finished);
    assert_eq!(begun(slot).await, None, "not again for the same day");
    // A time that was missed for longer than an hour is made up for from then on.
    let late = slot + TimeDelta::hours(24 + 7);
    let due = db::recon::due_daily(&mut conn, late, 10).await.unwrap();
    assert_eq!(due, [(tenant, slot + TimeDelta::hours(24))]);
    let early = slot + TimeDelta::hours(23);
    assert_eq!(
        db::recon::due_daily(&mut conn, early, 10).await.unwrap(),
        []
    );
}

#[tokio::test]
async fn comparisons_take_turns_and_old_ones_are_forgotten() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let mut tx = stage.tx().await;
    let other = db::organizations::ensure(&mut tx, "Other", "other").await;
    let (other, _) = other.unwrap();
    tx.commit().await.unwrap();
    let (first, second) = (stage.asked(shop.tenant).await, stage.asked(other).await);
    let worker = stage.parts();
    let mut turns = Vec::new();
    let mut conn = stage.api.db.read().await.unwrap();
    for _ in 0..4 {
        let now = stage.now();
        let claimed = db::recon::claim(&mut conn, worker.id, now, now + worker.lease, 1).await;
        let run = claimed.unwrap().remove(0);
        let held = db::recon::Held {
            run: run.id,
            tenant: run.tenant,
            worker: worker.id,
            reached: run.reached,
        };
        let back = db::recon::hand_back(&mut conn, &held, None, stage.now()).await;
        assert!(back.unwrap());
        turns.push(run.id);
    }
    assert_eq!(turns, [first, second, first, second]);

    let later = stage.now() + TimeDelta::days(1);
    let gone = db::recon::forget(&mut conn, later, 100).await.unwrap();
    assert_eq!(gone, 0, "what runs is not forgotten");
    drop(conn);
    let run = stage.claim_run_of(&worker, first).await;
    recon::take(&worker, &brisk(), run, &CancellationToken::new()).await;
    let mut conn = stage.api.db.read().await.unwrap();
    assert_eq!(db::recon::forget(&mut conn, later, 100).await.unwrap(), 1);
}

impl Stage {
    async fn claim_run_of(&self, worker: &Worker, id: ReconRunId) -> StoredRun {
        let now = self.now();
        let mut conn = self.api.db.read().await.unwrap();
        let claimed = db::recon::claim(&mut conn, worker.id, now, now + worker.lease, 5).await;
        let mut claimed = claimed.unwrap().into_iter();
        claimed.find(|run| run.id == id).expect("it waits")
    }
}
