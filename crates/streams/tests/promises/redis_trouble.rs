//! A Redis that is flushed, killed, or not there.

use std::time::Duration;

use contracts::Stream;
use streams::{Streams, StreamsConfig, StreamsError};

use crate::stage::{Played, SOON, Stage, calm, eventually, failure, failures, once};

#[tokio::test]
async fn a_flush_under_a_running_consumer_heals_by_itself() {
    let stage = Stage::with_own_server().await;
    let (handler, mut calls) = Played::succeeding();
    let mut config = calm("one");
    // A read that is under way must notice, not wait for its end.
    config.block = Duration::from_mins(10);
    let consumer = stage.consumer(&handler, config);
    for _ in 0..3 {
        let envelopes = failures(5);
        stage.streams.publish(&envelopes).await.unwrap();
        assert_eq!(calls.handled(5).await, once(&envelopes));
        stage.emptied(Stream::Failures).await;
        let () = stage.redis(&redis::cmd("FLUSHALL")).await;
    }
    consumer.stop().await;
}

#[tokio::test]
async fn what_is_under_way_during_a_flush_ends_in_peace() {
    let stage = Stage::with_own_server().await;
    let (go, gate) = tokio::sync::watch::channel(false);
    let (handler, mut calls) = Played::new(move |_| {
        let mut gate = gate.clone();
        async move {
            gate.wait_for(|open| *open)
                .await
                .map_err(streams::Failure::retry)?;
            Ok(())
        }
    });
    let consumer = stage.consumer(&handler, calm("one"));
    stage.streams.publish(&failures(3)).await.unwrap();
    calls.handled(3).await;
    let () = stage.redis(&redis::cmd("FLUSHALL")).await;
    go.send(true).unwrap();
    let after = failure();
    stage
        .streams
        .publish(std::slice::from_ref(&after))
        .await
        .unwrap();
    assert_eq!(calls.next_handled().await, (after.outbox, 1));
    stage.emptied(Stream::Failures).await;
    consumer.stop().await;
    assert_eq!(calls.waiting(), 0);
}

#[tokio::test]
async fn a_restarted_redis_is_read_again_and_published_to_at_once() {
    let mut stage = Stage::with_own_server().await;
    let (handler, mut calls) = Played::succeeding();
    let consumer = stage.consumer(&handler, calm("one"));
    stage.streams.publish(&[failure()]).await.unwrap();
    calls.next_handled().await;
    stage.emptied(Stream::Failures).await;

    stage.server.kill();
    let unreachable = stage.streams.ping().await.unwrap_err();
    assert!(
        matches!(unreachable, StreamsError::Unreachable { .. }),
        "{unreachable}"
    );
    assert!(stage.streams.publish(&[failure()]).await.is_err());
    stage.server.start().await;

    let envelope = failure();
    stage
        .streams
        .publish(std::slice::from_ref(&envelope))
        .await
        .unwrap();
    assert_eq!(calls.next_handled().await, (envelope.outbox, 1));
    stage.emptied(Stream::Failures).await;
    assert!(consumer.runs());
    consumer.stop().await;
}

#[tokio::test]
async fn a_consumer_starts_before_its_redis() {
    let mut stage = Stage::without_server().await;
    let (handler, mut calls) = Played::succeeding();
    let consumer = stage.consumer(&handler, calm("one"));
    assert!(stage.streams.ping().await.is_err());
    stage.server.start().await;
    let envelope = failure();
    stage
        .streams
        .publish(std::slice::from_ref(&envelope))
        .await
        .unwrap();
    assert_eq!(calls.next_handled().await, (envelope.outbox, 1));
    consumer.stop().await;
}

#[tokio::test]
async fn a_consumer_stops_though_its_redis_is_away() {
    let mut stage = Stage::with_own_server().await;
    let (handler, mut calls) = Played::succeeding();
    let consumer = stage.consumer(&handler, calm("one"));
    stage.streams.publish(&[failure()]).await.unwrap();
    calls.next_handled().await;
    stage.server.kill();
    consumer.stop().await;
}

#[tokio::test]
async fn what_was_done_while_redis_was_away_is_acknowledged_when_it_is_back() {
    let stage = Stage::with_own_server().await;
    let (go, gate) = tokio::sync::watch::channel(false);
    let (handler, mut calls) = Played::new(move |_| {
        let mut gate = gate.clone();
        async move {
            gate.wait_for(|open| *open)
                .await
                .map_err(streams::Failure::retry)?;
            Ok(())
        }
    });
    let _consumer = stage.consumer(&handler, calm("one"));
    stage.streams.publish(&failures(3)).await.unwrap();
    calls.handled(3).await;
    // Redis stands still for longer than anyone waits for an answer, then goes on
    // with all it held.
    let mut pause = redis::cmd("CLIENT");
    pause.arg("PAUSE").arg(4000).arg("ALL");
    let () = stage.redis(&pause).await;
    go.send(true).unwrap();
    assert!(stage.streams.ping().await.is_err());
    eventually("Redis answers", SOON, async || {
        stage.streams.ping().await.is_ok()
    })
    .await;
    stage.emptied(Stream::Failures).await;
    assert_eq!(calls.waiting(), 0);
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_without_showing_the_password() {
    let config = StreamsConfig::new("rediss//user:hunter2@nowhere".to_owned().into());
    let error = Streams::connect(config).await.unwrap_err();
    let told = format!("{error} {error:?}");
    assert!(told.contains("REDIS_URL"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
}
