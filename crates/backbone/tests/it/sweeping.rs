//! What was left or lost is published again, and a backlog is not.

use contracts::Stream;
use devstack::servers::{Redis, RedisOptions, free_port};

use crate::stage::{PATIENCE, Stage, entries, leave_events};

/// Past the time for which a row is left to its own process (2 s).
const LEFT: i64 = 3;
/// Past the time after which a published row may be asked after (5 s).
const LOST: i64 = 6;

#[tokio::test]
async fn what_a_dead_process_left_is_published_once_its_time_is_over() {
    let stage = Stage::new().await;
    leave_events(&stage, 3).await;
    let service = stage.service().await;
    let sweeper = service.sweeper();
    assert_eq!(sweeper.step().await.unwrap(), 0, "it may still be about to");
    stage.advance(LEFT);
    assert_eq!(sweeper.step().await.unwrap(), 3);
    assert_eq!(stage.entries(Stream::Events).await.len(), 3);
    assert_eq!(stage.count("published_at IS NULL").await, 0);
    assert_eq!(sweeper.step().await.unwrap(), 0);
}

#[tokio::test]
async fn events_that_commit_while_redis_is_away_are_published_when_it_is_back() {
    let stage = Stage::new().await;
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let url = format!("redis://127.0.0.1:{port}/0");
    let service = stage.service_over(&url).await;
    service.commit_events(5).await;
    service.end().await;
    assert_eq!(stage.count("published_at IS NULL").await, 5);

    let service = stage.service_over(&url).await;
    let sweeper = service.sweeper();
    stage.advance(LEFT);
    assert!(sweeper.step().await.is_err(), "Redis is still away");
    assert_eq!(stage.count("published_at IS NULL").await, 5);

    let options = RedisOptions {
        port: Some(port),
        ..RedisOptions::default()
    };
    let redis = Redis::start(folder.path(), options).await.unwrap();
    let swept = testkit::eventually(PATIENCE, async || sweeper.step().await.ok()).await;
    assert_eq!(swept, 5);
    assert_eq!(entries(&url, Stream::Events).await.len(), 5);
    redis.stop().await;
}

#[tokio::test]
async fn what_a_flushed_redis_lost_is_published_again() {
    let stage = Stage::new().await;
    let service = stage.service().await;
    service.commit_events(4).await;
    stage.all_published().await;
    let mut before = stage.entries(Stream::Events).await;
    stage.redis.flush().await;

    let sweeper = service.sweeper();
    assert_eq!(
        sweeper.step().await.unwrap(),
        0,
        "too young to be asked after"
    );
    stage.advance(LOST);
    assert_eq!(sweeper.step().await.unwrap(), 4);
    let mut again = stage.entries(Stream::Events).await;
    again.sort_unstable();
    before.sort_unstable();
    assert_eq!(again, before);
    assert_eq!(sweeper.step().await.unwrap(), 0, "they lie there now");
}

#[tokio::test]
async fn a_backlog_is_left_alone_however_old_it_grows() {
    let stage = Stage::new().await;
    let service = stage.service().await;
    service.commit_events(4).await;
    stage.all_published().await;
    stage.advance(24 * 60 * 60);
    assert_eq!(service.sweeper().step().await.unwrap(), 0);
    assert_eq!(stage.entries(Stream::Events).await.len(), 4);
}

#[tokio::test]
async fn what_was_settled_is_not_swept() {
    let stage = Stage::new().await;
    let service = stage.service().await;
    service.commit_events(2).await;
    stage.all_published().await;
    stage.redis.flush().await;
    let client = stage.database.connect().await;
    let one = "DELETE FROM outbox WHERE id = (SELECT id FROM outbox LIMIT 1)";
    client.batch_execute(one).await.unwrap();
    stage.advance(LOST);
    assert_eq!(service.sweeper().step().await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn sweepers_of_two_processes_publish_an_event_once() {
    let stage = Stage::new().await;
    leave_events(&stage, 200).await;
    let (one, other) = tokio::join!(stage.service(), stage.service());
    stage.advance(LEFT);
    let steps = [one.sweeper(), other.sweeper()]
        .map(|sweeper| tokio::spawn(async move { sweeper.step().await.unwrap() }));
    let mut swept = 0;
    for step in steps {
        swept += step.await.unwrap();
    }
    assert_eq!(swept, 200);
    assert_eq!(stage.entries(Stream::Events).await.len(), 200);

    stage.redis.flush().await;
    stage.advance(LOST);
    let steps = [one.sweeper(), other.sweeper()]
        .map(|sweeper| tokio::spawn(async move { sweeper.step().await.unwrap() }));
    let mut swept = 0;
    for step in steps {
        swept += step.await.unwrap();
    }
    assert_eq!(swept, 200);
    assert_eq!(stage.entries(Stream::Events).await.len(), 200);
}

#[tokio::test]
async fn looking_at_what_is_owed_does_not_fail() {
    let stage = Stage::new().await;
    leave_events(&stage, 2).await;
    let service = stage.service().await;
    service.sweeper().observe().await.unwrap();
}
