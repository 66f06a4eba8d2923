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

    /// What the stream would deliver of a recovery's failure.
    async fn delivery(&self, recovery: RecoveryId) -> Delivery {
        let client = self.database.connect().await;
        let rows = client
            .query("SELECT envelope FROM outbox WHERE stream = 'failures'", &[])
            .await
            .unwrap();
        let mut envelopes = rows
            .iter()
            .map(|row| Envelope::decode(row.get(0), Stream::Failures).unwrap());
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
