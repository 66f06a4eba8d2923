//! Entries that come back: their process died, or they failed.

use std::time::Duration;

use contracts::Stream;
use redis::streams::StreamPendingCountReply;
use streams::Failure;

use crate::stage::{
    GROUP, Played, SOON, Stage, calm, eventually, failure, failures, hasty, within,
};

#[tokio::test]
async fn what_a_killed_consumer_was_handling_is_taken_over() {
    let stage = Stage::new().await;
    let (stuck, mut calls_of_dying) = Played::stuck();
    let dying = stage.consumer(&stuck, hasty("dying"));
    let envelope = failure();
    stage
        .streams
        .publish(std::slice::from_ref(&envelope))
        .await
        .unwrap();
    assert_eq!(calls_of_dying.next_handled().await, (envelope.outbox, 1));
    dying.kill().await;

    let (handler, mut calls) = Played::succeeding();
    let _heir = stage.consumer(&handler, hasty("heir"));
    assert_eq!(calls.next_handled().await, (envelope.outbox, 2));
    stage.emptied(Stream::Failures).await;
}

#[tokio::test]
async fn a_large_estate_of_a_dead_consumer_is_taken_over_whole() {
    let stage = Stage::new().await;
    let (stuck, mut calls_of_dying) = Played::stuck();
    let mut config = hasty("dying");
    // Reading stops when more than half of it is held.
    config.prefetch = 4000;
    let dying = stage.consumer(&stuck, config);
    let envelopes = failures(1500);
    stage.streams.publish(&envelopes).await.unwrap();
    calls_of_dying.next_handled().await;
    eventually("all of it is held", SOON, async || {
        let position = stage
            .streams
            .position(Stream::Failures, GROUP)
            .await
            .unwrap();
        position.pending == 1500
    })
    .await;
    dying.kill().await;

    let (handler, mut calls) = Played::succeeding();
    let _heir = stage.consumer(&handler, hasty("heir"));
    let got = calls.handled(1500).await;
    assert!(
        got.iter()
            .zip(&envelopes)
            .all(|((got, _), sent)| *got == sent.outbox)
    );
    stage.emptied(Stream::Failures).await;
}

#[tokio::test]
async fn a_long_handling_is_not_overtaken_while_its_process_lives() {
    let stage = Stage::new().await;
    let (stuck, mut calls_of_busy) = Played::stuck();
    let mut config = hasty("busy");
    config.concurrency = 1;
    let busy = stage.consumer(&stuck, config);
    let (idle, mut calls_of_idle) = Played::succeeding();
    // One is under way and one waits for its turn: neither may be taken.
    stage.streams.publish(&failures(2)).await.unwrap();
    calls_of_busy.next_handled().await;
    eventually("both are held", SOON, async || {
        pending(&stage).await.len() == 2
    })
    .await;
    let watching = stage.consumer(&idle, hasty("idle"));

    // Three heartbeats are as long as the take-over time; eight leave no doubt.
    for beat in 1..=8 {
        let before = longest_idle(&stage).await;
        let what = format!("heartbeat {beat} sets the idle time back");
        let beaten = async {
            let mut longest = before;
            loop {
                let now = longest_idle(&stage).await;
                if now < longest {
                    break;
                }
                longest = now;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        within(&what, beaten).await;
    }
    for entry in pending(&stage).await {
        assert_eq!(
            (entry.consumer.as_str(), entry.times_delivered),
            ("busy", 1)
        );
    }
    assert_eq!(calls_of_idle.waiting(), 0);

    // The same two are taken over once it is dead: it was its life that kept them.
    busy.kill().await;
    assert_eq!(calls_of_idle.handled(2).await.len(), 2);
    watching.stop().await;
}

#[tokio::test]
async fn what_failed_comes_back_counted_until_it_succeeds() {
    let stage = Stage::new().await;
    let (handler, mut calls) = Played::new(async |delivery| match delivery.deliveries {
        1..4 => Err(Failure::retry("the database is being restarted")),
        _ => Ok(()),
    });
    // Long before the take-over time: a failed entry rests only for its back-off.
    let consumer = stage.consumer(&handler, calm("one"));
    let envelope = failure();
    stage
        .streams
        .publish(std::slice::from_ref(&envelope))
        .await
        .unwrap();
    for deliveries in 1..=4 {
        assert_eq!(calls.next_handled().await, (envelope.outbox, deliveries));
    }
    stage.emptied(Stream::Failures).await;
    consumer.stop().await;
    assert_eq!(calls.waiting(), 0);
}

#[tokio::test]
async fn a_panic_is_a_failure_like_another_and_harms_no_neighbour() {
    let stage = Stage::new().await;
    let envelopes = failures(3);
    let poisonous = envelopes[1].outbox;
    let (handler, mut calls) = Played::new(move |delivery| async move {
        assert!(
            delivery.envelope.outbox != poisonous || delivery.deliveries > 1,
            "a bug that shows once"
        );
        Ok(())
    });
    let consumer = stage.consumer(&handler, calm("one"));
    stage.streams.publish(&envelopes).await.unwrap();
    let got = calls.handled(4).await;
    let expected = [
        (envelopes[0].outbox, 1),
        (envelopes[1].outbox, 1),
        (envelopes[1].outbox, 2),
        (envelopes[2].outbox, 1),
    ];
    assert_eq!(got, expected);
    stage.emptied(Stream::Failures).await;
    assert!(consumer.runs());
}

#[tokio::test]
async fn names_of_long_gone_consumers_are_removed_unless_they_hold_something() {
    let stage = Stage::new().await;
    let key = stage.key(Stream::Failures);
    let mut create = redis::cmd("XGROUP");
    create
        .arg("CREATE")
        .arg(&key)
        .arg(GROUP)
        .arg("0")
        .arg("MKSTREAM");
    let () = stage.redis(&create).await;
    let mut ghost = redis::cmd("XGROUP");
    ghost
        .arg("CREATECONSUMER")
        .arg(&key)
        .arg(GROUP)
        .arg("ghost");
    let _: u64 = stage.redis(&ghost).await;
    stage.streams.publish(&[failure()]).await.unwrap();
    let mut holding = redis::cmd("XREADGROUP");
    holding
        .arg("GROUP")
        .arg(GROUP)
        .arg("holding")
        .arg("STREAMS")
        .arg(&key)
        .arg(">");
    let _: redis::Value = stage.redis(&holding).await;

    let mut config = calm("new");
    config.block = Duration::from_millis(50);
    config.forget_after = Duration::from_millis(500);
    eventually("both are idle for long enough", SOON, async || {
        let consumers = stage.consumers(Stream::Failures).await;
        consumers.iter().all(|it| it.idle > 500)
    })
    .await;
    let (handler, _calls) = Played::succeeding();
    let _consumer = stage.consumer(&handler, config);
    eventually("the ghost is gone", SOON, async || {
        let consumers = stage.consumers(Stream::Failures).await;
        consumers.iter().all(|it| it.name != "ghost")
    })
    .await;
    let names = stage.consumers(Stream::Failures).await;
    assert!(names.iter().any(|it| it.name == "holding"));
}

async fn pending(stage: &Stage) -> Vec<redis::streams::StreamPendingId> {
    let mut command = redis::cmd("XPENDING");
    command.arg(stage.key(Stream::Failures)).arg(GROUP);
    command.arg("-").arg("+").arg(10);
    let reply: StreamPendingCountReply = stage.redis(&command).await;
    reply.ids
}

async fn longest_idle(stage: &Stage) -> usize {
    let pending = pending(stage).await;
    pending.iter().map(|it| it.last_delivered_ms).max().unwrap()
}
