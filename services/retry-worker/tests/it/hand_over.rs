//! From the recorded failure to its plan, whatever becomes of the entry.

use contracts::{Envelope, Message, Stream};
use db::Tenant;
use domain::id::RecoveryId;
use domain::{AttemptState, RecoveryState};
use retry_worker::failures::FailurePlanner;
use streams::{Delivery, Failure, Handler};

use crate::failed_payment::{Payment, Shop, charges};
use crate::stage::{PATIENCE, Stage};

impl Stage {
    /// A failed payment whose card would pay, its first step planned and due.
    pub(crate) async fn planned(&self, shop: &Shop) -> (Payment, RecoveryId) {
        let (payment, recovery) = self.failed(shop, "insufficient_funds", &["ok"]).await;
        self.plan(shop.tenant, recovery).await;
        (payment, recovery)
    }

    /// Plans a recovery as the entry of its failure would, and does without the entry.
    pub(crate) async fn plan(&self, tenant: Tenant, recovery: RecoveryId) {
        self.hear_of(recovery).await;
        assert_eq!(self.attempts(tenant, recovery).await.len(), 1);
    }

    /// Gives a recovery's failure to a planner, whatever it makes of it.
    pub(crate) async fn hear_of(&self, recovery: RecoveryId) {
        let delivery = self.delivery(recovery).await;
        let planner = FailurePlanner::new(self.parts());
        planner.handle(&delivery).await.unwrap();
    }

    async fn failures_owed(&self) -> Vec<Envelope> {
        let client = self.database.connect().await;
        let rows = client
            .query("SELECT envelope FROM outbox WHERE stream = 'failures'", &[])
            .await
            .unwrap();
        rows.iter()
            .map(|row| Envelope::decode(row.get(0), Stream::Failures).unwrap())
            .collect()
    }

    /// What the stream would deliver of a recovery's failure.
    async fn delivery(&self, recovery: RecoveryId) -> Delivery {
        let mut envelopes = self.failures_owed().await.into_iter();
        let envelope = envelopes.find(|envelope| envelope.message.recovery() == Some(recovery));
        Delivery {
            envelope: envelope.expect("its failure is owed"),
            stream: Stream::Failures,
            entry: "1-0".to_owned(),
            published_at: self.now(),
            deliveries: 1,
        }
    }
}

#[tokio::test]
async fn a_copy_of_an_entry_plans_nothing_more() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(3)).await;
    let (_, recovery) = stage.failed(&shop, "insufficient_funds", &["ok"]).await;
    let delivery = stage.delivery(recovery).await;
    let planner = FailurePlanner::new(stage.parts());
    let (one, other) = tokio::join!(planner.handle(&delivery), planner.handle(&delivery));
    one.unwrap();
    other.unwrap();
    planner.handle(&delivery).await.unwrap();
    let states = stage.states(shop.tenant, recovery).await;
    assert_eq!(states, [AttemptState::Scheduled]);
}

#[tokio::test]
async fn a_failure_of_a_recovery_that_has_ended_plans_nothing_and_is_owed_no_more() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(3)).await;
    let (_, recovery) = stage.failed(&shop, "insufficient_funds", &["ok"]).await;
    let delivery = stage.delivery(recovery).await;
    let mut tx = stage.tx().await;
    let cancelled = RecoveryState::Cancelled;
    let ended = db::ending::ended(&mut tx, shop.tenant, recovery, cancelled, "not wanted");
    assert!(ended.await.unwrap());
    tx.commit().await.unwrap();
    let planner = FailurePlanner::new(stage.parts());
    planner.handle(&delivery).await.unwrap();
    assert!(stage.attempts(shop.tenant, recovery).await.is_empty());
    assert_eq!(stage.count("outbox WHERE stream = 'failures'").await, 0);
}

#[tokio::test]
async fn an_entry_of_another_kind_is_a_dead_letter() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let (_, recovery) = stage.failed(&shop, "insufficient_funds", &["ok"]).await;
    let mut delivery = stage.delivery(recovery).await;
    delivery.envelope.message = Message::RecoveryEvent {
        event_id: recovery.uuid(),
        kind: "recovery.opened".to_owned(),
        recovery,
        data: "{}".to_owned(),
        occurred_at: stage.now(),
    };
    let planner = FailurePlanner::new(stage.parts());
    let refused = planner.handle(&delivery).await;
    assert!(matches!(refused, Err(Failure::Final(_))), "{refused:?}");
    planner.dead(&delivery, "of another kind").await.unwrap();
    let buried = "outbox WHERE dead_reason = 'of another kind'";
    assert_eq!(stage.count(buried).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_forgot_everything_only_delays() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let (payment, recovery) = stage.failed(&shop, "insufficient_funds", &["ok"]).await;
    testkit::eventually(PATIENCE, async || {
        stage.count("outbox WHERE published_at IS NULL").await == 0
    })
    .await;
    stage.redis.flush().await;
    let worker = stage.worker();
    stage
        .until(shop.tenant, recovery, RecoveryState::Recovered)
        .await;
    worker.stop().await;
    assert_eq!(stage.successes(&payment.intent).await, 1);
}

#[tokio::test]
async fn failures_that_come_at_once_share_a_commit_and_one_that_cannot_be_planned_holds_up_no_other()
 {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(3)).await;
    let mut recoveries = Vec::new();
    for _ in 0..4 {
        let (_, recovery) = stage.failed(&shop, "insufficient_funds", &["ok"]).await;
        recoveries.push((recovery, stage.delivery(recovery).await));
    }
    let planner = FailurePlanner::new(stage.parts());
    let handle = |range: std::ops::Range<usize>| {
        futures_util::future::join_all(
            recoveries[range]
                .iter()
                .map(|(_, delivery)| planner.handle(delivery)),
        )
    };
    assert!(handle(0..2).await.iter().all(Result::is_ok));
    let commits = "(SELECT DISTINCT xmin::text FROM attempts) AS commits";
    assert_eq!(stage.count(commits).await, 1, "they shared one");

    let (broken, _) = recoveries[2];
    let client = stage.database.connect().await;
    let sql = format!(
        "UPDATE recoveries SET category = 'none such' WHERE id = '{}'",
        broken.uuid()
    );
    client.batch_execute(&sql).await.unwrap();
    let outcomes = handle(2..4).await;
    assert!(
        matches!(outcomes[0], Err(Failure::Retry(_))),
        "{outcomes:?}"
    );
    assert!(outcomes[1].is_ok(), "{outcomes:?}");
    assert_eq!(
        stage.count("outbox WHERE stream = 'failures'").await,
        1,
        "it is still owed"
    );
    for place in [0, 1, 3] {
        let states = stage.states(shop.tenant, recoveries[place].0).await;
        assert_eq!(states, [AttemptState::Scheduled]);
    }
}

#[tokio::test]
async fn of_two_failures_of_one_recovery_that_come_at_once_the_second_sees_the_plan_of_the_first() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(3)).await;
    let (_, recovery) = stage.failed(&shop, "insufficient_funds", &["ok"]).await;
    let first = stage.delivery(recovery).await;
    let mut tx = stage.tx().await;
    tx.emit(shop.tenant, first.envelope.message.clone());
    tx.commit().await.unwrap();
    let mut second = first.clone();
    let mut owed = stage.failures_owed().await;
    owed.retain(|it| it.outbox != first.envelope.outbox);
    second.envelope = owed.remove(0);
    assert_ne!(first.envelope.outbox, second.envelope.outbox);
    let planner = FailurePlanner::new(stage.parts());
    let (one, other) = tokio::join!(planner.handle(&first), planner.handle(&second));
    one.unwrap();
    other.unwrap();
    let states = stage.states(shop.tenant, recovery).await;
    assert_eq!(states, [AttemptState::Scheduled]);
    assert_eq!(stage.count("outbox WHERE stream = 'failures'").await, 0);
}
