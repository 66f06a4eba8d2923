//! Telling a backlog from a loss.

use chrono::{DateTime, TimeDelta, Utc};
use contracts::Stream;
use streams::Position;

use crate::stage::{GROUP, Played, SOON, Stage, calm, eventually, failures};

/// The time by Redis's clock, as a stand-in for when a publisher noted its deed.
async fn now(stage: &Stage) -> DateTime<Utc> {
    let (seconds, micros): (i64, u32) = stage.redis(&redis::cmd("TIME")).await;
    DateTime::from_timestamp(seconds, micros * 1000).unwrap()
}

async fn position(stage: &Stage) -> Position {
    stage
        .streams
        .position(Stream::Failures, GROUP)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_backlog_may_still_hold_what_was_published_and_a_flushed_stream_may_not() {
    let stage = Stage::with_own_server().await;
    assert_eq!(position(&stage).await, Position::default());

    // Nobody reads yet: a backlog, without a group.
    let before = now(&stage).await;
    stage.streams.publish(&failures(5)).await.unwrap();
    let published_at = now(&stage).await;
    let unread = position(&stage).await;
    assert_eq!((unread.exists, unread.lag, unread.pending), (false, 5, 0));
    assert!(unread.may_hold(published_at));
    assert!(
        !unread.may_hold(before - TimeDelta::seconds(1)),
        "nothing in it is that old"
    );

    // One consumer is stuck with one of them.
    let (stuck, mut calls) = Played::stuck();
    let mut config = calm("one");
    config.prefetch = 1;
    config.concurrency = 1;
    let consumer = stage.consumer(&stuck, config);
    calls.next_handled().await;
    let stuck = position(&stage).await;
    assert_eq!((stuck.exists, stuck.lag, stuck.pending), (true, 4, 1));
    assert!(stuck.may_hold(published_at));
    assert!(stuck.oldest_pending_age.is_some());
    let delivered = stuck.last_delivered_at.unwrap();
    assert!(delivered <= published_at && delivered >= before - TimeDelta::seconds(1));

    // Redis loses everything; the consumer makes the group again.
    let () = stage.redis(&redis::cmd("FLUSHALL")).await;
    let lost = position(&stage).await;
    assert_eq!((lost.lag, lost.pending), (0, 0));
    assert!(!lost.may_hold(published_at), "it is lost, not waiting");
    consumer.kill().await;

    // What is published from then on does not hide the loss.
    let (handler, mut calls) = Played::succeeding();
    eventually("the clock has moved on", SOON, async || {
        now(&stage).await > published_at + TimeDelta::milliseconds(5)
    })
    .await;
    stage.streams.publish(&failures(2)).await.unwrap();
    assert!(!position(&stage).await.may_hold(published_at));
    let _consumer = stage.consumer(&handler, calm("two"));
    calls.handled(2).await;
    stage.emptied(Stream::Failures).await;
    let done = position(&stage).await;
    assert!(done.exists && done.last_delivered_at.is_some());
    assert_eq!(done.oldest_entry_at, None);
}

#[tokio::test]
async fn the_lag_is_right_though_entries_were_deleted_out_of_order() {
    let stage = Stage::new().await;
    let envelopes = failures(6);
    let slow = envelopes[0].outbox;
    let (handler, mut calls) = Played::new(move |delivery| async move {
        if delivery.envelope.outbox == slow {
            std::future::pending::<()>().await;
        }
        Ok(())
    });
    let consumer = stage.consumer(&handler, calm("one"));
    stage.streams.publish(&envelopes).await.unwrap();
    calls.handled(6).await;
    eventually("five are acknowledged", SOON, async || {
        position(&stage).await.pending == 1
    })
    .await;
    consumer.kill().await;
    stage.streams.publish(&failures(3)).await.unwrap();
    let position = position(&stage).await;
    assert_eq!((position.pending, position.lag), (1, 3));
}

#[tokio::test]
async fn how_full_redis_is_is_told_against_its_own_limit_or_the_machines() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let stage = Stage::with_own_server().await;
    let unlimited = stage.streams.observe_memory().await.unwrap();
    assert!(unlimited.used > 0 && unlimited.limit > unlimited.used);

    let mut limit = redis::cmd("CONFIG");
    limit.arg("SET").arg("maxmemory").arg(64 << 20);
    let _: String = stage.redis(&limit).await;
    let limited = stage.streams.observe_memory().await.unwrap();
    assert_eq!(limited.limit, 64 << 20);
    let page = recorder.handle().render();
    assert!(
        page.contains("redis_memory_limit_bytes 67108864"),
        "in:\n{page}"
    );
}
