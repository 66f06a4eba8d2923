//! One organization's entries leave turns for others'.

use std::sync::Arc;
use std::time::Duration;

use contracts::{Envelope, Stream};
use domain::Id;
use domain::id::OrganizationId;
use streams::ConsumerConfig;
use tokio::sync::Semaphore;

use crate::stage::{Calls, Played, SOON, Stage, calm, eventually, failures, once, uuid};

fn of(organization: OrganizationId, count: usize) -> Vec<Envelope> {
    let envelopes = failures(count).into_iter();
    let envelopes = envelopes.map(|it| Envelope { organization, ..it });
    envelopes.collect()
}

/// Four turns, of which one organization gets two.
fn sharing(consumer: &str) -> ConsumerConfig {
    ConsumerConfig {
        concurrency: 4,
        per_organization: 2,
        prefetch: 8,
        ..calm(consumer)
    }
}

/// One whose deliveries wait until the gate has a permit, which they pass on.
fn gated() -> (Arc<Semaphore>, Arc<Played>, Calls) {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let (handler, calls) = Played::new(move |_| {
        let held = Arc::clone(&held);
        async move {
            let _passed = held.acquire().await;
            Ok(())
        }
    });
    (gate, handler, calls)
}

#[tokio::test]
async fn what_is_slow_of_one_organization_lets_others_pass_however_much_of_it_waits() {
    let stage = Stage::new().await;
    let (slow, quick): (OrganizationId, OrganizationId) =
        (Id::from_uuid(uuid()), Id::from_uuid(uuid()));
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let (handler, mut calls) = Played::new(move |delivery| {
        let held = Arc::clone(&held);
        async move {
            if delivery.envelope.organization == slow {
                let _passed = held.acquire().await;
            }
            Ok(())
        }
    });
    // More than may be held and wait aside.
    let (many, few) = (of(slow, 200), of(quick, 5));
    stage.streams.publish(&many).await.unwrap();
    stage.streams.publish(&few).await.unwrap();
    let _consumer = stage.consumer(&handler, sharing("one"));

    let mut begun = calls.handled(7).await;
    begun.retain(|it| once(&few).contains(it));
    assert_eq!(begun, once(&few));
    eventually("the quick ones are done", SOON, async || {
        let position = stage.streams.position(Stream::Failures, "workers").await;
        position.is_ok_and(|it| (it.pending, it.lag) == (200, 0))
    })
    .await;
    assert_eq!(
        calls.waiting(),
        0,
        "two of the slow one are at it, and no more"
    );

    // What was put back was not counted.
    gate.add_permits(1);
    let rest = calls.handled(198).await;
    assert!(
        rest.iter().all(|(_, deliveries)| *deliveries == 1),
        "{rest:?}"
    );
    stage.emptied(Stream::Failures).await;
}

#[tokio::test]
async fn a_shutdown_hands_back_what_waits_aside() {
    let stage = Stage::new().await;
    let envelopes = of(Id::from_uuid(uuid()), 20);
    let (gate, slow, mut calls) = gated();
    stage.streams.publish(&envelopes).await.unwrap();
    let consumer = stage.consumer(&slow, sharing("one"));
    let mut handled = calls.handled(2).await;
    eventually("all are held", SOON, async || {
        let position = stage.streams.position(Stream::Failures, "workers").await;
        position.is_ok_and(|it| (it.pending, it.lag) == (20, 0))
    })
    .await;
    consumer.ask_to_stop();
    gate.add_permits(1);
    consumer.stop().await;
    assert_eq!(calls.waiting(), 0, "not one more was begun");

    let (quick, mut calls) = Played::succeeding();
    let _heir = stage.consumer(&quick, sharing("two"));
    handled.extend(calls.handled(18).await);
    handled.sort();
    assert_eq!(handled, once(&envelopes));
    stage.emptied(Stream::Failures).await;
}

#[tokio::test]
async fn what_was_put_back_for_want_of_room_comes_as_soon_as_there_is_room() {
    let stage = Stage::new().await;
    let (gate, handler, mut calls) = gated();
    // What is due again is looked for once a second, and eight of it may be held: by that
    // alone it would take most of a minute.
    let config = ConsumerConfig {
        retry_after: Duration::from_secs(2),
        ..sharing("one")
    };
    let many = of(Id::from_uuid(uuid()), 400);
    stage.streams.publish(&many).await.unwrap();
    let _consumer = stage.consumer(&handler, config);
    eventually("all were given out", SOON, async || {
        let position = stage.streams.position(Stream::Failures, "workers").await;
        position.is_ok_and(|it| (it.pending, it.lag) == (400, 0))
    })
    .await;
    gate.add_permits(1);
    let all = tokio::time::timeout(SOON, calls.handled(400)).await;
    assert!(all.is_ok(), "there were {} more", calls.waiting());
    stage.emptied(Stream::Failures).await;
}
