//! Entries that are given up, and what can be done with them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use contracts::Stream;
use streams::{DeadLetterId, Failure, StreamsError};

use crate::stage::{Called, GROUP, Played, Stage, calm, failure, hasty};

#[tokio::test]
async fn what_keeps_failing_becomes_a_dead_letter_with_its_reason() {
    let stage = Stage::new().await;
    let (handler, mut calls) =
        Played::new(async |_| Err(Failure::retry("the bank's host is unknown")));
    let mut config = calm("one");
    config.max_deliveries = 3;
    let consumer = stage.consumer(&handler, config);
    let envelope = failure();
    stage
        .streams
        .publish(std::slice::from_ref(&envelope))
        .await
        .unwrap();
    for deliveries in 1..=3 {
        assert_eq!(calls.next_handled().await, (envelope.outbox, deliveries));
    }
    let (outbox, reason) = calls.next_death().await;
    assert_eq!(
        (outbox, reason.as_str()),
        (envelope.outbox, "the bank's host is unknown")
    );
    stage.emptied(Stream::Failures).await;

    let letters = stage
        .streams
        .dead_letters(Stream::Failures, 10)
        .await
        .unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].envelope.as_ref(), Ok(&envelope));
    assert_eq!(letters[0].reason, "the bank's host is unknown");
    assert_eq!(letters[0].deliveries, 3);
    assert!(letters[0].at > envelope.created_at);
    consumer.stop().await;
    assert_eq!(calls.waiting(), 0);
}

#[tokio::test]
async fn what_failed_for_good_is_not_tried_again() {
    let stage = Stage::new().await;
    let (handler, mut calls) = Played::new(async |_| Err(Failure::for_good("no such recovery")));
    let _consumer = stage.consumer(&handler, calm("one"));
    stage.streams.publish(&[failure()]).await.unwrap();
    assert_eq!(calls.next_handled().await.1, 1);
    assert_eq!(calls.next_death().await.1, "no such recovery");
    stage.emptied(Stream::Failures).await;
    assert_eq!(calls.waiting(), 0);
}

#[tokio::test]
async fn while_a_death_cannot_be_recorded_nothing_is_given_up() {
    let stage = Stage::new().await;
    let database = Arc::new(AtomicBool::new(false));
    let (up, also_up) = (Arc::clone(&database), Arc::clone(&database));
    let (handler, mut calls) = Played::with_deaths(
        move |_| {
            let up = up.load(Ordering::SeqCst);
            async move {
                if up {
                    Ok(())
                } else {
                    Err(Failure::retry("Postgres is away"))
                }
            }
        },
        move || {
            if also_up.load(Ordering::SeqCst) {
                Ok(())
            } else {
                Err("Postgres is away".to_owned())
            }
        },
    );
    let mut config = calm("one");
    config.max_deliveries = 2;
    let _consumer = stage.consumer(&handler, config);
    let envelope = failure();
    stage
        .streams
        .publish(std::slice::from_ref(&envelope))
        .await
        .unwrap();
    // Many more deaths are refused than there may be deliveries.
    let mut deaths = 0;
    while deaths < 6 {
        deaths += u32::from(matches!(calls.next().await, Called::Dead { .. }));
    }
    database.store(true, Ordering::SeqCst);
    stage.emptied(Stream::Failures).await;
    let letters = stage
        .streams
        .dead_letters(Stream::Failures, 10)
        .await
        .unwrap();
    assert!(
        letters.is_empty(),
        "it succeeded once Postgres was back: {letters:?}"
    );
}

#[tokio::test]
async fn what_kills_its_process_again_and_again_becomes_a_dead_letter() {
    let stage = Stage::new().await;
    let (stuck, mut calls) = Played::stuck();
    let config = |name: &str| {
        let mut config = hasty(name);
        config.max_deliveries = 2;
        config
    };
    let envelope = failure();
    stage
        .streams
        .publish(std::slice::from_ref(&envelope))
        .await
        .unwrap();
    for (name, deliveries) in [("first", 1), ("second", 2)] {
        let dying = stage.consumer(&stuck, config(name));
        assert_eq!(calls.next_handled().await, (envelope.outbox, deliveries));
        dying.kill().await;
    }
    let _third = stage.consumer(&stuck, config("third"));
    let (outbox, reason) = calls.next_death().await;
    assert_eq!(outbox, envelope.outbox);
    assert!(reason.starts_with("given out 2 times"), "{reason}");
    stage.emptied(Stream::Failures).await;
}

#[tokio::test]
async fn what_cannot_be_read_is_put_aside_at_once() {
    let stage = Stage::new().await;
    let key = stage.key(Stream::Failures);
    let mut damaged = failure().encode();
    damaged.truncate(10);
    let mut foreign = redis::cmd("XADD");
    foreign.arg(&key).arg("*").arg("payload").arg(damaged);
    let _: String = stage.redis(&foreign).await;
    let mut empty = redis::cmd("XADD");
    empty.arg(&key).arg("*").arg("colour").arg("blue");
    let _: String = stage.redis(&empty).await;
    let good = failure();
    stage
        .streams
        .publish(std::slice::from_ref(&good))
        .await
        .unwrap();

    let (handler, mut calls) = Played::succeeding();
    let _consumer = stage.consumer(&handler, calm("one"));
    assert_eq!(calls.next_handled().await, (good.outbox, 1));
    stage.emptied(Stream::Failures).await;
    let letters = stage
        .streams
        .dead_letters(Stream::Failures, 10)
        .await
        .unwrap();
    let mut reasons: Vec<_> = letters.iter().map(|it| it.reason.as_str()).collect();
    reasons.sort_unstable();
    assert_eq!(reasons.len(), 2);
    assert!(
        reasons[0].starts_with("the entry has no field"),
        "{reasons:?}"
    );
    assert!(
        reasons[1].starts_with("the entry is not a tinko.v1.Envelope"),
        "{reasons:?}"
    );
    assert!(letters.iter().all(|it| it.envelope.is_err()));
    assert_eq!(calls.waiting(), 0, "no handler was asked about them");
}

#[tokio::test]
async fn a_dead_letter_is_replayed_once_or_discarded() {
    let stage = Stage::new().await;
    let healed = Arc::new(AtomicBool::new(false));
    let good = Arc::clone(&healed);
    let (handler, mut calls) = Played::new(move |_| {
        let good = good.load(Ordering::SeqCst);
        async move {
            if good {
                Ok(())
            } else {
                Err(Failure::for_good("a bug"))
            }
        }
    });
    let _consumer = stage.consumer(&handler, calm("one"));
    let (first, second) = (failure(), failure());
    for envelope in [&first, &second] {
        stage
            .streams
            .publish(std::slice::from_ref(envelope))
            .await
            .unwrap();
        calls.next_handled().await;
        calls.next_death().await;
        stage.emptied(Stream::Failures).await;
    }
    healed.store(true, Ordering::SeqCst);

    let streams = &stage.streams;
    let letters = streams.dead_letters(Stream::Failures, 10).await.unwrap();
    let [replayed, discarded] = [letters[0].id, letters[1].id];
    assert_eq!(
        replayed.to_string().parse::<DeadLetterId>().unwrap(),
        replayed
    );
    streams.replay(Stream::Failures, replayed).await.unwrap();
    assert_eq!(calls.next_handled().await, (first.outbox, 1));
    stage.emptied(Stream::Failures).await;
    streams.discard(Stream::Failures, discarded).await.unwrap();
    assert_eq!(
        streams
            .position(Stream::Failures, GROUP)
            .await
            .unwrap()
            .dead,
        0
    );

    for id in [replayed, discarded] {
        let again = streams.replay(Stream::Failures, id).await.unwrap_err();
        assert!(
            matches!(again, StreamsError::NoSuchDeadLetter { .. }),
            "{again}"
        );
        let again = streams.discard(Stream::Failures, id).await.unwrap_err();
        assert!(
            matches!(again, StreamsError::NoSuchDeadLetter { .. }),
            "{again}"
        );
    }
    assert_eq!(calls.waiting(), 0);
}
