//! Entries that are handled as they should be.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use contracts::Stream;
use domain::Channel;
use metrics_exporter_prometheus::PrometheusBuilder;
use streams::Failure;
use tokio::sync::{Barrier, Semaphore};

use crate::stage::{Played, SOON, Stage, calm, eventually, failure, failures, hasty, once};

#[tokio::test]
async fn what_is_published_before_and_after_anyone_reads_is_delivered_once_and_leaves_no_trace() {
    let stage = Stage::new().await;
    let envelopes = failures(250);
    stage.streams.publish(&envelopes[..100]).await.unwrap();
    let (handler, mut calls) = Played::succeeding();
    let consumer = stage.consumer(&handler, calm("one"));
    stage.streams.publish(&envelopes[100..]).await.unwrap();

    assert_eq!(calls.handled(250).await, once(&envelopes));
    stage.emptied(Stream::Failures).await;
    let left: u64 = stage
        .redis(redis::cmd("XLEN").arg(stage.key(Stream::Failures)))
        .await;
    assert_eq!(left, 0);
    consumer.stop().await;
    assert_eq!(calls.waiting(), 0);
}

#[tokio::test]
async fn an_entry_can_be_read_by_people_too() {
    let stage = Stage::new().await;
    let envelope = failure();
    stage
        .streams
        .publish(std::slice::from_ref(&envelope))
        .await
        .unwrap();
    let entries: Vec<(String, HashMap<String, Vec<u8>>)> = stage
        .redis(
            redis::cmd("XRANGE")
                .arg(stage.key(Stream::Failures))
                .arg("-")
                .arg("+"),
        )
        .await;
    let fields = &entries[0].1;
    assert_eq!(fields["id"], envelope.outbox.to_string().into_bytes());
    assert_eq!(
        fields["org"],
        envelope.organization.to_string().into_bytes()
    );
    assert_eq!(
        fields["traceparent"],
        envelope.traceparent.clone().unwrap().into_bytes()
    );
    assert_eq!(fields["payload"], envelope.encode());
}

#[tokio::test]
async fn a_handler_gets_what_was_published() {
    let stage = Stage::new().await;
    let envelope = failure();
    let expected = envelope.clone();
    let (handler, mut calls) = Played::new(move |delivery| {
        let expected = expected.clone();
        async move {
            assert_eq!(delivery.envelope, expected);
            assert_eq!(delivery.stream, Stream::Failures);
            assert!(delivery.published_at > expected.created_at);
            Ok(())
        }
    });
    stage.streams.publish(&[envelope]).await.unwrap();
    let _consumer = stage.consumer(&handler, calm("one"));
    // Were it otherwise, the handler would have panicked and been called again.
    assert_eq!(calls.next_handled().await.1, 1);
    stage.emptied(Stream::Failures).await;
    assert_eq!(calls.waiting(), 0);
}

#[tokio::test]
async fn nothing_is_acknowledged_before_its_handler_has_returned() {
    let stage = Stage::new().await;
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let (handler, mut calls) = Played::new(move |_| {
        let gate = Arc::clone(&opened);
        async move {
            gate.acquire().await.map_err(Failure::retry)?.forget();
            Ok(())
        }
    });
    let _consumer = stage.consumer(&handler, calm("one"));
    stage.streams.publish(&[failure()]).await.unwrap();
    calls.next_handled().await;
    let during = stage
        .streams
        .position(Stream::Failures, "workers")
        .await
        .unwrap();
    assert_eq!((during.pending, during.lag), (1, 0));
    gate.add_permits(1);
    stage.emptied(Stream::Failures).await;
}

#[tokio::test]
async fn two_consumers_share_and_repeat_nothing() {
    let stage = Stage::new().await;
    // Each delivery waits for one in the other consumer: only sharing gets on.
    let meeting = Arc::new(Barrier::new(2));
    let met = |meeting: &Arc<Barrier>| {
        let meeting = Arc::clone(meeting);
        Played::new(move |_| {
            let meeting = Arc::clone(&meeting);
            async move {
                meeting.wait().await;
                Ok(())
            }
        })
    };
    let (one, mut calls_of_one) = met(&meeting);
    let (two, mut calls_of_two) = met(&meeting);
    let single = |name| {
        let mut config = calm(name);
        config.prefetch = 1;
        config.concurrency = 1;
        config
    };
    let _one = stage.consumer(&one, single("one"));
    let _two = stage.consumer(&two, single("two"));
    let envelopes = failures(20);
    stage.streams.publish(&envelopes).await.unwrap();

    let mut handled = calls_of_one.handled(10).await;
    handled.extend(calls_of_two.handled(10).await);
    handled.sort();
    assert_eq!(handled, once(&envelopes));
    stage.emptied(Stream::Failures).await;
}

#[tokio::test]
async fn no_more_are_handled_at_once_than_was_set() {
    let stage = Stage::new().await;
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (inside, peak) = (Arc::clone(&now), Arc::clone(&most));
    let (handler, mut calls) = Played::new(move |_| {
        let (inside, peak) = (Arc::clone(&inside), Arc::clone(&peak));
        async move {
            peak.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            inside.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        }
    });
    let mut config = calm("one");
    config.concurrency = 3;
    config.prefetch = 50;
    stage.streams.publish(&failures(100)).await.unwrap();
    let _consumer = stage.consumer(&handler, config);
    calls.handled(100).await;
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_slow_channel_holds_back_only_itself() {
    let stage = Stage::new().await;
    let on = |channel| {
        let mut envelope = failure();
        envelope.message = contracts::Message::NotificationRequested {
            notification: domain::Id::from_uuid(crate::stage::uuid()),
            recovery: envelope.message.recovery().unwrap(),
            channel,
        };
        envelope
    };
    let (stuck, mut calls_of_sms) = Played::stuck();
    let (quick, mut calls_of_email) = Played::succeeding();
    let sms = Stream::Notifications(Channel::Sms);
    let email = Stream::Notifications(Channel::Email);
    let _sms = stage.consumer_of(sms, &stuck, calm("one"));
    let _email = stage.consumer_of(email, &quick, calm("one"));
    let mails: Vec<_> = (0..200).map(|_| on(Channel::Email)).collect();
    stage.streams.publish(&[on(Channel::Sms)]).await.unwrap();
    calls_of_sms.next_handled().await;
    stage.streams.publish(&mails).await.unwrap();
    assert_eq!(calls_of_email.handled(200).await, once(&mails));
}

#[tokio::test]
async fn a_stream_in_shards_is_read_whole_and_keeps_a_recovery_on_one() {
    let stage = Stage::sharded(4).await;
    let (handler, mut calls) = Played::succeeding();
    let envelopes = failures(100);
    stage.streams.publish(&envelopes).await.unwrap();

    let mut by_shard = Vec::new();
    for shard in 0..4 {
        let key = format!("{}:{{{shard}}}", stage.key(Stream::Failures));
        let length: u64 = stage.redis(redis::cmd("XLEN").arg(key)).await;
        by_shard.push(length);
    }
    assert_eq!(by_shard.iter().sum::<u64>(), 100);
    assert!(by_shard.iter().all(|length| *length > 0), "{by_shard:?}");
    let before = stage
        .streams
        .position(Stream::Failures, "workers")
        .await
        .unwrap();
    assert_eq!((before.exists, before.lag), (false, 100));

    // Fewer held than there are shards: each shard still gets on.
    let mut config = calm("one");
    config.prefetch = 2;
    config.concurrency = 2;
    let consumer = stage.consumer(&handler, config);
    assert_eq!(calls.handled(100).await, once(&envelopes));
    stage.emptied(Stream::Failures).await;
    consumer.stop().await;

    let copies = vec![failure(); 5];
    stage.streams.publish(&copies).await.unwrap();
    let mut lengths = Vec::new();
    for shard in 0..4 {
        let key = format!("{}:{{{shard}}}", stage.key(Stream::Failures));
        lengths.push(stage.redis::<u64>(redis::cmd("XLEN").arg(key)).await);
    }
    lengths.sort_unstable();
    assert_eq!(lengths, [0, 0, 0, 5]);
}

/// On one thread, since the recorder is this thread's.
#[tokio::test]
async fn metrics_tell_what_happened_by_stream() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    streams::telemetry::describe();
    let stage = Stage::new().await;
    let envelopes = failures(4);
    let (flaky, hopeless) = (envelopes[0].outbox, envelopes[1].outbox);
    let (handler, mut calls) = Played::new(move |delivery| async move {
        match (delivery.envelope.outbox, delivery.deliveries) {
            (outbox, 1) if outbox == flaky => Err(Failure::retry("not yet")),
            (outbox, _) if outbox == hopeless => Err(Failure::for_good("no such recovery")),
            _ => Ok(()),
        }
    });
    stage.streams.publish(&envelopes).await.unwrap();
    let consumer = stage.consumer(&handler, crate::stage::hasty("one"));
    for _ in 0..6 {
        calls.next().await;
    }
    stage.emptied(Stream::Failures).await;
    consumer.stop().await;
    stage
        .streams
        .observe(Stream::Failures, "workers")
        .await
        .unwrap();

    let expected = [
        ("stream_published_total", 4),
        ("stream_read_total", 4),
        ("stream_consumed_total", 3),
        ("stream_retried_total", 1),
        ("stream_redelivered_total", 1),
        ("stream_dead_total", 1),
        ("stream_dead_letters", 1),
        ("stream_lag", 0),
        ("stream_pending", 0),
        ("stream_oldest_pending_seconds", 0),
        ("stream_handle_seconds_count", 5),
    ];
    let rendered = recorder.handle().render();
    for (name, value) in expected {
        let line = format!("{name}{{stream=\"failures\"}} {value}");
        assert!(
            rendered.lines().any(|it| it == line),
            "{line} in:\n{rendered}"
        );
    }
}

#[tokio::test]
async fn a_shutdown_finishes_what_has_begun_and_hands_back_what_has_not() {
    let stage = Stage::new().await;
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let (handler, mut calls) = Played::new(move |_| {
        let gate = Arc::clone(&opened);
        async move {
            gate.acquire().await.map_err(Failure::retry)?.forget();
            Ok(())
        }
    });
    let mut config = calm("leaving");
    config.concurrency = 1;
    config.prefetch = 10;
    let envelopes = failures(5);
    stage.streams.publish(&envelopes).await.unwrap();
    let leaving = stage.consumer(&handler, config);
    assert_eq!(calls.next_handled().await, (envelopes[0].outbox, 1));
    leaving.ask_to_stop();

    // The other four go to another at once, though take-over is minutes away,
    // and for none of them was a delivery counted.
    let (other, mut calls_of_other) = Played::succeeding();
    let staying = stage.consumer(&other, calm("staying"));
    assert_eq!(calls_of_other.handled(4).await, once(&envelopes[1..]));
    assert!(leaving.runs(), "a handler is still under way");

    gate.add_permits(1);
    leaving.stop().await;
    stage.emptied(Stream::Failures).await;
    eventually("the leaving consumer's name is gone", SOON, async || {
        let names = stage.consumers(Stream::Failures).await;
        names.iter().all(|it| it.name == "staying")
    })
    .await;
    staying.stop().await;
    assert!(stage.consumers(Stream::Failures).await.is_empty());
    assert_eq!(calls.waiting() + calls_of_other.waiting(), 0);
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_a_read_to_time_out() {
    let stage = Stage::new().await;
    let (handler, mut calls) = Played::succeeding();
    let mut config = calm("one");
    // Much longer than a test waits.
    config.block = std::time::Duration::from_mins(10);
    let consumer = stage.consumer(&handler, config);
    stage.streams.publish(&[failure()]).await.unwrap();
    calls.next_handled().await;
    stage.emptied(Stream::Failures).await;
    consumer.stop().await;
}

#[tokio::test]
async fn while_a_handler_is_not_ready_entries_wait_uncounted_and_go_to_whoever_is() {
    let stage = Stage::new().await;
    let gate = Arc::new(Semaphore::new(0));
    let (waiting, calls) = Played::behind(Arc::clone(&gate));
    let consumer = stage.consumer(&waiting, calm("one"));
    let envelopes = failures(100);
    stage.streams.publish(&envelopes).await.unwrap();
    // It holds what it has room for, and no more.
    eventually("it holds what it has room for", SOON, async || {
        let position = stage.streams.position(Stream::Failures, "workers").await;
        position.is_ok_and(|it| (it.pending, it.lag) == (64, 36))
    })
    .await;
    assert_eq!(calls.waiting(), 0);
    consumer.stop().await;
    assert_eq!(calls.waiting(), 0, "not one was begun");

    let (ready, mut handled) = Played::succeeding();
    let _consumer = stage.consumer(&ready, calm("two"));
    assert_eq!(handled.handled(100).await, once(&envelopes));
    stage.emptied(Stream::Failures).await;
}

#[tokio::test]
async fn a_delivery_that_is_not_begun_is_not_counted_however_often() {
    let stage = Stage::new().await;
    let left = Arc::new(AtomicUsize::new(20));
    let (handler, mut calls) = Played::new(move |delivery| {
        let left = Arc::clone(&left);
        async move {
            let counted =
                left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |it| it.checked_sub(1));
            assert_eq!(delivery.deliveries, 1, "only what is begun is counted");
            match counted {
                Ok(_) => Err(Failure::NotNow {
                    why: "what it needs is away".to_owned(),
                    pause: std::time::Duration::from_millis(10),
                }),
                Err(_) => Ok(()),
            }
        }
    });
    stage.streams.publish(&[failure()]).await.unwrap();
    let _consumer = stage.consumer(&handler, hasty("one"));
    stage.emptied(Stream::Failures).await;
    for _ in 0..21 {
        assert_eq!(calls.next_handled().await.1, 1);
    }
    assert_eq!(calls.waiting(), 0);
}
