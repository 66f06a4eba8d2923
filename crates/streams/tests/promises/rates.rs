//! Rate limits that replicas share.

use std::time::Duration;

use domain::rate::{Limit, admit};
use streams::rates::{Bucket, Rates};

use crate::stage::{SOON, Stage, eventually};

/// Long enough that a busy machine is not taken for a slow Redis.
const PATIENT: Duration = Duration::from_secs(20);

async fn shared(stage: &Stage) -> Rates {
    let rates = stage.streams.rates(PATIENT).unwrap();
    eventually("Redis is asked", SOON, async || rates.is_shared()).await;
    rates
}

fn bucket(name: &str, limit: Limit) -> Bucket {
    Bucket {
        name: name.to_owned(),
        interval: limit.interval(),
        burst: limit.burst(),
    }
}

fn limit(text: &str) -> Limit {
    text.parse().unwrap()
}

/// How many of `count` requests are let in.
async fn admitted(rates: &Rates, bucket: &Bucket, count: usize) -> usize {
    let mut sum = 0;
    for _ in 0..count {
        let decision = rates.take(std::slice::from_ref(bucket), 1).await;
        sum += usize::from(decision.unwrap().admitted);
    }
    sum
}

/// The script and `domain::rate` are one algorithm, so what is proved of the one holds
/// for the other.
#[tokio::test]
async fn redis_decides_as_the_domain_does() {
    let stage = Stage::new().await;
    let rates = shared(&stage).await;
    let limits = [limit("50/s burst 7"), limit("20/s burst 3")];
    let buckets = [
        bucket("{a}:wide", limits[0]),
        bucket("{a}:narrow", limits[1]),
    ];
    let mut ours = limits.map(|limit| (limit, None));
    let (mut now, mut seed, mut let_in) = (1_700_000_000_000_000_u64, 7_u64, 0);
    for _ in 0..400 {
        // A linear congruential generator: the same steps in every run.
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let cost = 1 + u32::try_from(seed >> 62).unwrap();
        now += (seed >> 40) % 60_000;
        let theirs = rates.take_at(&buckets, cost, now).await.unwrap();
        let fits = admit(&mut ours, now, cost);
        let ahead = ours.map(|(limit, arrival)| limit.ahead(arrival, now));
        assert_eq!((theirs.admitted, theirs.ahead), (fits, ahead.to_vec()));
        let_in += u32::from(fits);
    }
    assert!((50..350).contains(&let_in), "both answers occur: {let_in}");
}

#[tokio::test]
async fn two_replicas_have_one_bucket_and_other_names_have_their_own() {
    let stage = Stage::new().await;
    let (one, two) = (shared(&stage).await, shared(&stage).await);
    let slow = bucket("{a}", limit("1/min burst 10"));
    let (first, second) = tokio::join!(admitted(&one, &slow, 8), admitted(&two, &slow, 8));
    assert_eq!(first + second, 10);
    let other = bucket("{b}", limit("1/min burst 10"));
    assert_eq!(admitted(&two, &other, 12).await, 10);
}

#[tokio::test]
async fn a_flush_fills_the_buckets_and_a_key_is_gone_when_its_bucket_is_full() {
    let stage = Stage::with_own_server().await;
    let rates = shared(&stage).await;
    let slow = bucket("{a}", limit("1/min burst 2"));
    assert_eq!(admitted(&rates, &slow, 5).await, 2);
    let () = stage.redis(&redis::cmd("FLUSHALL")).await;
    let () = stage.redis(redis::cmd("SCRIPT").arg("FLUSH")).await;
    assert_eq!(admitted(&rates, &slow, 5).await, 2);
    let keys: Vec<String> = stage.redis(redis::cmd("KEYS").arg("*:rate:*")).await;
    let [key] = &keys[..] else { panic!("{keys:?}") };
    let left: i64 = stage.redis(redis::cmd("PTTL").arg(key)).await;
    assert!((60_000..=120_000).contains(&left), "{left}");
}

#[tokio::test]
async fn a_redis_that_is_away_is_not_waited_for_and_is_asked_again_when_it_is_back() {
    let mut stage = Stage::with_own_server().await;
    let rates = shared(&stage).await;
    let quick = bucket("{a}", limit("1000/s burst 1000"));
    stage.server.kill();
    eventually("it counts as away", SOON, async || {
        rates.take(std::slice::from_ref(&quick), 1).await.is_none() && !rates.is_shared()
    })
    .await;
    let begun = std::time::Instant::now();
    for _ in 0..1_000 {
        assert_eq!(rates.take(std::slice::from_ref(&quick), 1).await, None);
    }
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
    stage.server.start().await;
    eventually("it is asked again", SOON, async || rates.is_shared()).await;
    assert_eq!(admitted(&rates, &quick, 3).await, 3);
}

#[tokio::test]
async fn a_redis_that_is_slow_is_given_up_after_a_few_tries() {
    let stage = Stage::with_own_server().await;
    let rates = stage.streams.rates(Duration::from_millis(20)).unwrap();
    eventually("Redis is asked", SOON, async || rates.is_shared()).await;
    let quick = bucket("{a}", limit("1000/s burst 1000"));
    // It answers nobody for a while.
    let mut pause = redis::cmd("CLIENT");
    let () = stage.redis(pause.arg("PAUSE").arg(3_000)).await;
    let begun = std::time::Instant::now();
    while rates.is_shared() {
        assert_eq!(rates.take(std::slice::from_ref(&quick), 1).await, None);
    }
    assert!(
        begun.elapsed() < Duration::from_millis(1_500),
        "{:?}",
        begun.elapsed()
    );
    eventually("it is asked again", SOON, async || rates.is_shared()).await;
}
