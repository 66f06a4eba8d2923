use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn limit(text: &str) -> Limit {
    text.parse().unwrap()
}

#[test]
fn a_limit_reads_as_operators_write_it() {
    let read = limit("100/s burst 400");
    assert_eq!((read.interval(), read.burst()), (10_000, 400));
    assert_eq!(limit("20/min burst 5").interval(), 3_000_000);
    assert_eq!(limit("3/s burst 1").interval(), 333_334, "rounded up");
    assert_eq!(limit("100/s burst 400").to_string(), "400 within 4 s");
    for bad in [
        "",
        "100",
        "100/s",
        "100/h burst 1",
        "0/s burst 1",
        "1/s burst 0",
        "1/s burst 1 x",
        "-1/s burst 1",
        "1.5/s burst 1",
        "1000001/s burst 1",
        "1/s burst 4294967296",
    ] {
        assert_eq!(bad.parse::<Limit>(), Err(InvalidLimit), "{bad}");
    }
}

#[test]
fn a_share_is_as_much_slower_and_never_nothing() {
    let half = limit("100/s burst 5").share(50);
    assert_eq!((half.interval(), half.burst()), (20_000, 2));
    assert_eq!(limit("1/s burst 1").share(1).burst(), 1);
    assert_eq!(limit("7/s burst 3").share(100), limit("7/s burst 3"));
}

#[test]
fn a_burst_then_the_rate() {
    let limit = limit("10/s burst 3");
    let mut bucket = [(limit, None)];
    assert!((0..3).all(|_| admit(&mut bucket, 0, 1)));
    assert!(!admit(&mut bucket, 99_999, 1));
    let ahead = limit.ahead(bucket[0].1, 99_999);
    let standing = limit.standing(ahead, false, 1);
    assert_eq!((standing.remaining, standing.retry_after), (0, 1));
    assert!(admit(&mut bucket, 100_000, 1));
    assert!(!admit(&mut bucket, 100_000, 1));
}

#[test]
fn a_clock_that_is_set_back_shuts_nobody_out_for_long() {
    let limit = limit("10/s burst 3");
    let hour = 3_600 * SECOND;
    let mut bucket = [(limit, Some(hour))];
    assert!(!admit(&mut bucket, 0, 1));
    assert!(admit(&mut [(limit, Some(hour))], hour, 1));
    assert_eq!(limit.ahead(Some(hour), 0), limit.window());
    assert_eq!(
        limit.standing(limit.window(), false, 1).retry_after,
        100_000
    );
}

#[test]
fn what_one_bucket_refuses_no_other_is_charged_for() {
    let (wide, narrow) = (limit("10/s burst 10"), limit("10/s burst 1"));
    let mut buckets = [(wide, None), (narrow, None)];
    assert!(admit(&mut buckets, 0, 1));
    let before = buckets;
    assert!(!admit(&mut buckets, 0, 1));
    assert_eq!(buckets, before);
}

#[test]
fn more_than_ever_fits_takes_all() {
    let limit = limit("10/s burst 3");
    let mut bucket = [(limit, None)];
    assert!(admit(&mut bucket, 0, 1_000));
    assert_eq!(limit.standing(limit.window(), true, 1).remaining, 0);
    assert!(!admit(&mut bucket, 0, 1));
    assert!(!admit(&mut bucket, 299_999, 1_000));
    assert!(admit(&mut bucket, 300_000, 1_000));
}

fn any_limit() -> impl Strategy<Value = Limit> {
    (1..2_000_u32, 1..50_u32).prop_map(|(units, burst)| {
        let some = |number| NonZeroU32::new(number).unwrap();
        Limit::new(some(units), NonZeroU32::MIN, some(burst))
    })
}

proptest! {
    /// The promise itself, over every stretch of time between two requests.
    #[test]
    fn no_stretch_of_time_admits_more_than_the_burst_and_the_rate(
        limit in any_limit(),
        steps in vec((0..200_000_u64, 1..4_u32), 1..120),
    ) {
        let mut bucket = [(limit, None)];
        let (mut now, mut admitted) = (1_000_000, Vec::new());
        for (step, cost) in steps {
            now += step;
            if admit(&mut bucket, now, cost) {
                admitted.push((now, u64::from(cost.min(limit.burst()))));
            }
        }
        for (start, (from, _)) in admitted.iter().enumerate() {
            let mut sum = 0;
            for (at, cost) in &admitted[start..] {
                sum += cost;
                prop_assert!(sum <= u64::from(limit.burst()) + (at - from) / limit.interval());
            }
        }
    }

    /// Whoever waits as long as they are told is let in, and no sooner.
    #[test]
    fn the_wait_that_is_told_is_enough_and_not_too_long(
        limit in any_limit(),
        steps in vec(0..20_000_u64, 1..120),
    ) {
        let mut bucket = [(limit, None)];
        let mut now = 0;
        for step in steps {
            now += step;
            if admit(&mut bucket, now, 1) {
                continue;
            }
            let standing = limit.standing(limit.ahead(bucket[0].1, now), false, 1);
            prop_assert!(standing.retry_after > 0);
            let then = now + standing.retry_after;
            prop_assert!(!admit(&mut bucket.clone(), then - 1, 1));
            prop_assert!(admit(&mut bucket.clone(), then, 1));
        }
    }

    /// What is said to be left can be had, at once, and not one more.
    #[test]
    fn what_is_said_to_remain_can_be_had(limit in any_limit(), used in 0..60_u32) {
        let mut bucket = [(limit, None)];
        for _ in 0..used {
            admit(&mut bucket, 0, 1);
        }
        let standing = limit.standing(limit.ahead(bucket[0].1, 0), true, 1);
        for _ in 0..standing.remaining {
            prop_assert!(admit(&mut bucket, 0, 1));
        }
        prop_assert!(!admit(&mut bucket, 0, 1));
    }
}
