//! A dead letter is recorded where the truth is, and left alone.

use std::sync::Arc;

use backbone::{Backbone, work};
use contracts::Stream;
use db::dead_letters::{self, Choice, Mend, Mender};
use streams::{ConsumerConfig, Delivery, Failure, Handler};
use tokio_util::sync::CancellationToken;

use crate::stage::{PATIENCE, Service, Stage, leave_events};

/// Refuses everything for good.
struct Refuses(Backbone);

impl Handler for Refuses {
    async fn handle(&self, _delivery: &Delivery) -> Result<(), Failure> {
        Err(Failure::for_good("it does not read"))
    }

    async fn dead(&self, delivery: &Delivery, reason: &str) -> Result<(), String> {
        work::bury(&self.0.db, &self.0.clock, delivery, reason).await
    }
}

#[tokio::test]
async fn what_cannot_be_worked_on_is_buried_with_its_reason_and_not_swept() {
    let stage = Stage::new().await;
    let service = stage.service().await;
    service.commit_events(1).await;
    let stop = CancellationToken::new();
    let stream = Stream::Events;
    let consuming = tokio::spawn(streams::consume(
        service.backbone.streams.clone(),
        stream,
        ConsumerConfig::new(backbone::group_of(stream), "test"),
        Arc::new(Refuses(service.backbone.clone())),
        stop.clone(),
    ));
    testkit::eventually(PATIENCE, async || {
        stage.count("dead_reason = 'it does not read'").await == 1
    })
    .await;
    stop.cancel();
    consuming.await.unwrap();

    stage.redis.flush().await;
    stage.advance(60 * 60);
    assert_eq!(service.sweeper().step().await.unwrap(), 0);
}

/// Gives up everything that is owed.
async fn bury_all(stage: &Stage) {
    let client = stage.database.connect().await;
    let dead =
        "UPDATE outbox SET dead_at = now(), dead_reason = 'it does not read', published_at = now()";
    client.batch_execute(dead).await.unwrap();
}

const MENDER: Mender<'_> = Mender {
    by: "asha",
    why: "it reads now",
};

fn all(limit: i64) -> Choice {
    Choice {
        stream: Some(Stream::Events),
        reason: Some("it does not read".to_owned()),
        limit,
        ..Choice::default()
    }
}

async fn replay(service: &Service, choice: &Choice) -> usize {
    mend(service, choice, Mend::Replay).await
}

async fn mend(service: &Service, choice: &Choice, mend: Mend) -> usize {
    let mut tx = service
        .backbone
        .db
        .begin(service.backbone.cause())
        .await
        .unwrap();
    let taken = dead_letters::mend(&mut tx, choice, mend, MENDER)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    taken.len()
}

/// Redis lost every copy: what is replayed comes from Postgres.
#[tokio::test]
async fn a_letter_is_replayed_once_however_many_ask_and_whatever_redis_lost() {
    let stage = Stage::new().await;
    leave_events(&stage, 1).await;
    bury_all(&stage).await;
    let service = stage.service().await;
    stage.redis.flush().await;
    let mut conn = service.backbone.db.read().await.unwrap();
    let letters = dead_letters::list(&mut conn, &all(10)).await.unwrap();
    let choice = Choice::one(letters[0].id);
    let (first, second, third) = tokio::join!(
        replay(&service, &choice),
        replay(&service, &choice),
        replay(&service, &choice)
    );
    assert_eq!(first + second + third, 1);

    stage.advance(60);
    assert_eq!(service.sweeper().step().await.unwrap(), 1);
    assert_eq!(stage.entries(Stream::Events).await.len(), 1);
    let audited = "SELECT count(*) FROM audit_log WHERE action = 'dead_letter.replayed'
         AND actor = 'operator:asha' AND detail ->> 'why' = 'it reads now'";
    let client = stage.database.connect().await;
    let audited: i64 = client.query_one(audited, &[]).await.unwrap().get(0);
    assert_eq!(audited, 1);
}

#[tokio::test]
async fn those_of_a_reason_are_replayed_together_as_many_as_asked_for_oldest_first() {
    let stage = Stage::new().await;
    leave_events(&stage, 5).await;
    bury_all(&stage).await;
    let service = stage.service().await;
    let other = Choice {
        reason: Some("another".to_owned()),
        ..all(10)
    };
    assert_eq!(replay(&service, &other).await, 0);
    assert_eq!(replay(&service, &all(2)).await, 2);
    let left = stage.count("dead_at IS NOT NULL").await;
    assert_eq!(left, 3);
    let oldest = "dead_at IS NOT NULL AND id < (SELECT id FROM outbox WHERE dead_at IS NULL ORDER BY id DESC LIMIT 1)";
    assert_eq!(stage.count(oldest).await, 0);
    // Two who replay the rest at the same time share it.
    let rest = all(10);
    let (first, second) = tokio::join!(replay(&service, &rest), replay(&service, &rest));
    assert_eq!(first + second, 3);
}

#[tokio::test]
async fn a_discarded_letter_is_gone_for_good_and_one_that_is_owed_is_not_discarded() {
    let stage = Stage::new().await;
    leave_events(&stage, 2).await;
    let service = stage.service().await;
    let discard = async |choice: &Choice| mend(&service, choice, Mend::Discard).await;
    assert_eq!(discard(&all(10)).await, 0);
    bury_all(&stage).await;
    assert_eq!(discard(&all(1)).await, 1);
    assert_eq!(stage.count("true").await, 1);
}

/// What a newer version wrote, or what was damaged, is shown as far as it can be.
#[tokio::test]
async fn a_letter_that_does_not_read_is_shown_with_why() {
    let stage = Stage::new().await;
    leave_events(&stage, 1).await;
    bury_all(&stage).await;
    let client = stage.database.connect().await;
    let damaged = "UPDATE outbox SET envelope = '\\x00'";
    client.batch_execute(damaged).await.unwrap();
    let service = stage.service().await;
    let mut conn = service.backbone.db.read().await.unwrap();
    let letters = dead_letters::list(&mut conn, &all(10)).await.unwrap();
    let shown = backbone::dead_letters::Shown::from(letters[0].clone());
    assert_eq!(shown.payload, None);
    assert!(shown.unreadable.is_some());
    assert_eq!(shown.reason, "it does not read");
}
