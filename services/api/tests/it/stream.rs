//! Following recoveries as they move.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use reqwest::Method;
use serde_json::json;

use crate::follower::{Block, Follower, PATIENCE};
use crate::people::Person;
use crate::stage::{Shop, Stage};

/// Longer than a client may take nothing.
const SLOW: Duration = Duration::from_secs(14);

async fn follow(stage: &Stage, shop: &Shop, query: &str, last: &str) -> Follower {
    Follower::new(&stage.client, &stage.base, &shop.key, query, last).await
}

fn kinds(events: &[Block]) -> Vec<&str> {
    events.iter().map(|event| event.event.as_str()).collect()
}

async fn cancel(stage: &Stage, shop: &Shop, recovery: &str) {
    let path = format!("/v1/recoveries/{recovery}/cancel");
    assert_eq!(stage.post(shop, &path, &json!({})).await.status, 200);
}

#[tokio::test]
async fn a_frontend_sees_a_recovery_move() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let mut follower = follow(&stage, &shop, "", "").await;
    assert_eq!(follower.response.headers()["cache-control"], "no-store");
    let hello = follower.next_block().await.unwrap();
    assert_eq!((hello.retry.as_str(), hello.id.len()), ("1000", 49));
    let recovery = stage.failed(&shop, "A-1").await;
    stage.link(&shop, "A-1").await;
    cancel(&stage, &shop, &recovery).await;
    let events = follower.until("recovery.cancelled").await;
    assert_eq!(kinds(&events), stage.timeline(&shop, &recovery).await);
    assert!(events.is_sorted_by(|one, two| one.id < two.id));
    let path = format!("/v1/recoveries/{recovery}/timeline");
    let timeline = stage.get(&shop, &path).await.json();
    for (event, entry) in events.iter().zip(timeline["data"].as_array().unwrap()) {
        let mut entry = entry.clone();
        entry["recovery_id"] = json!(recovery);
        assert_eq!(event.json(), entry);
    }
}

#[tokio::test]
async fn only_what_was_asked_for_comes() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let mut links = follow(&stage, &shop, "?types=link.created,attempt.*", "").await;
    let other = stage.failed(&shop, "A-0").await;
    let one = format!("?recovery_id={other}");
    let mut one = follow(&stage, &shop, &one, "").await;
    let recovery = stage.failed(&shop, "A-1").await;
    stage.link(&shop, "A-1").await;
    cancel(&stage, &shop, &recovery).await;
    cancel(&stage, &shop, &other).await;
    assert_eq!(links.next().await.unwrap().event, "link.created");
    for event in one.until("recovery.cancelled").await {
        assert_eq!(event.json()["recovery_id"], other);
    }
}

#[tokio::test]
async fn nobody_sees_anothers_recoveries() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let neighbour = stage.shop("neighbour").await;
    let recovery = stage.failed(&shop, "A-1").await;
    let mut theirs = follow(&stage, &neighbour, "", "").await;
    let mut nosy = follow(&stage, &neighbour, &format!("?recovery_id={recovery}"), "").await;
    nosy.next_block().await.unwrap();
    cancel(&stage, &shop, &recovery).await;
    let own = stage.failed(&neighbour, "B-1").await;
    cancel(&stage, &neighbour, &own).await;
    for event in theirs.until("recovery.cancelled").await {
        assert_eq!(event.json()["recovery_id"], own);
    }
    // A place in the stream is no key either.
    let mut resumed = follow(&stage, &neighbour, "", &nosy.last).await;
    let seen = resumed.until("recovery.cancelled").await;
    assert!(seen.iter().all(|event| event.json()["recovery_id"] == own));
}

/// Whatever is cut off, goes to another replica and comes back with its place sees
/// every entry once, while others commit at the same time.
#[tokio::test]
async fn a_stream_is_resumed_anywhere_without_loss_or_copies() {
    const FAILURES: usize = 40;
    let stage = Stage::new().await;
    let replica = stage.replica().await;
    let bases = [stage.base.clone(), format!("http://{}", replica.address)];
    let shop = stage.shop("shop").await;
    let mut first = follow(&stage, &shop, "", "").await;
    first.next_block().await.unwrap();
    let mut last = first.last.clone();
    drop(first);
    let reporting = async {
        let numbers: Vec<usize> = (0..FAILURES).collect();
        for at_once in numbers.chunks(8) {
            let reports = at_once.iter().map(|number| {
                let (stage, shop) = (&stage, &shop);
                async move { stage.failed(shop, &format!("A-{number}")).await }
            });
            futures_util::future::join_all(reports).await;
        }
    };
    let reading = async {
        let (mut seen, mut turn, mut opened) = (Vec::new(), 0, 0);
        while opened < FAILURES {
            let base = &bases[turn % 2];
            let mut follower = Follower::new(&stage.client, base, &shop.key, "", &last).await;
            for _ in 0..=turn % 7 {
                let event = follower.next().await.expect("the stream goes on");
                opened += usize::from(event.event == "recovery.opened");
                seen.push(event);
                if opened == FAILURES {
                    break;
                }
            }
            last.clone_from(&seen.last().unwrap().id);
            turn += 1;
        }
        seen
    };
    let (seen, ()) = tokio::join!(reading, reporting);
    assert!(seen.is_sorted_by(|one, two| one.id < two.id));
    let ids: BTreeSet<_> = seen
        .iter()
        .map(|event| event.json()["id"].to_string())
        .collect();
    assert_eq!(ids.len(), seen.len(), "no copies");
    // All that committed before the last one that was seen.
    let rows = "SELECT count(*) FROM timeline WHERE (xact, id) <= (SELECT xact, id FROM timeline
         WHERE id::text = $1)";
    let last = seen.last().unwrap().json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let last = crate::people::bare(&last);
    let row = stage.database.query_one(rows, &[&last]).await.unwrap();
    assert_eq!(usize::try_from(row.get::<_, i64>(0)).unwrap(), seen.len());
    replica.finish().await;
}

#[tokio::test]
async fn a_place_that_no_stream_gave_or_that_is_too_old_is_refused() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let wrong = "/v1/stream?types=UPPER&recovery_id=x&last_event_id=y";
    let wrong = stage.get(&shop, wrong).await;
    assert_eq!((wrong.status, wrong.faults().len()), (422, 3));
    let place = |xact: &str, at: chrono::DateTime<Utc>| {
        format!(
            "/v1/stream?last_event_id={xact}-{:032x}",
            at.timestamp_millis()
        )
    };
    let made_up = place("7fffffffffffffff", stage.now());
    assert_eq!(stage.get(&shop, &made_up).await.status, 422);
    let old = place("0000000000000001", stage.now() - TimeDelta::days(8));
    let gone = stage.get(&shop, &old).await;
    assert_eq!((gone.status, gone.slug()), (410, "place-gone".to_owned()));
}

#[tokio::test]
async fn seats_are_few_and_given_back() {
    let more = [
        ("TINKO__STREAM_LISTENERS", "2"),
        ("TINKO__STREAM_LISTENERS_PER_ORGANIZATION", "1"),
    ];
    let stage = Stage::with(&more).await;
    let shop = stage.shop("shop").await;
    let neighbour = stage.shop("neighbour").await;
    let third = stage.shop("third").await;
    let seat = follow(&stage, &shop, "", "").await;
    let refused = stage.get(&shop, "/v1/stream").await;
    let seen = (refused.status, refused.slug());
    assert_eq!(seen, (429, "too-many-streams".to_owned()));
    assert_eq!(refused.header("retry-after"), "10");
    let _theirs = follow(&stage, &neighbour, "", "").await;
    let full = stage.get(&third, "/v1/stream").await;
    assert_eq!((full.status, full.slug()), (503, "unavailable".to_owned()));
    drop(seat);
    testkit::eventually(PATIENCE, async || {
        let request = stage
            .request(Method::GET, "/v1/stream")
            .bearer_auth(&third.key);
        request.send().await.unwrap().status() == 200
    })
    .await;
}

/// What waits for a client that takes nothing is bounded: it loses its seat, and
/// nothing else; with its place it gets all the rest.
#[tokio::test]
async fn a_client_that_takes_nothing_is_cut_off_and_may_go_on() {
    const ROWS: usize = 900;
    let more = [("TINKO__STREAM_LISTENERS_PER_ORGANIZATION", "1")];
    let stage = Stage::with(&more).await;
    let shop = stage.shop("shop").await;
    stage.failed(&shop, "A-1").await;
    let mut asleep = follow(&stage, &shop, "", "").await;
    // More than all the buffers between us hold.
    let much =
        "INSERT INTO timeline (id, organization_id, recovery_id, at, kind, actor, why, detail)
         SELECT uuid_in(overlay(overlay(md5(n::text) placing '7' from 13)
                  placing substr(r.id::text, 1, 8) || substr(r.id::text, 10, 4) from 1)::cstring),
                r.organization_id, r.id, now(), 'test.noted', 'test', n::text,
                jsonb_build_object('much', repeat('x', 40000))
         FROM recoveries r, generate_series(1, 900) AS n";
    stage.database.execute(much, &[]).await.unwrap();
    tokio::time::sleep(SLOW).await;
    let mut seen = Vec::new();
    while let Some(event) = asleep.next().await {
        seen.push(event.json()["why"].to_string());
    }
    assert!(seen.len() < ROWS, "it was cut off: {}", seen.len());
    // Its seat is free again.
    let mut resumed = follow(&stage, &shop, "", &asleep.last).await;
    while seen.len() < ROWS {
        seen.push(resumed.next().await.unwrap().json()["why"].to_string());
    }
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), ROWS);
}

#[tokio::test]
async fn at_the_end_streams_are_told_when_to_come_back_and_hold_nothing_up() {
    let mut stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let mut follower = follow(&stage, &shop, "", "").await;
    follower.next_block().await.unwrap();
    let begun = Instant::now();
    let reading = async {
        let mut blocks = Vec::new();
        while let Some(block) = follower.next_block().await {
            blocks.push(block);
        }
        blocks
    };
    let (blocks, ()) = tokio::join!(reading, stage.finish());
    let goodbye = blocks.last().unwrap();
    let retry: u64 = goodbye.retry.parse().unwrap();
    assert!((1_000..5_000).contains(&retry), "{goodbye:?}");
    assert!(
        begun.elapsed() < Duration::from_secs(15),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn a_stream_ends_with_the_token_that_it_was_opened_with() {
    let stage = Stage::with(&[("TINKO__ACCESS_TOKEN_SECONDS", "4")]).await;
    stage.register("asha@example.com", "Chai").await;
    let person = Person::of(
        &stage
            .log_in("asha@example.com", crate::people::PASSWORD)
            .await,
    );
    let begun = Instant::now();
    let mut follower = Follower::new(&stage.client, &stage.base, &person.access, "", "").await;
    while follower.next_block().await.is_some() {}
    assert!(
        begun.elapsed() < Duration::from_secs(8),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(stage.get_as(&person, "/v1/me").await.status, 401);
}
