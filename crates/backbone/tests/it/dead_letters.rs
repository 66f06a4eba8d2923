//! A dead letter is recorded where the truth is, and left alone.

use std::sync::Arc;

use backbone::{Backbone, work};
use contracts::Stream;
use streams::{ConsumerConfig, Delivery, Failure, Handler};
use tokio_util::sync::CancellationToken;

use crate::stage::{PATIENCE, Stage};

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
