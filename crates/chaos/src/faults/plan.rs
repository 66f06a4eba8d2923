//! Which fault comes when: made from the seed alone.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;

use super::{Fault, Kind, rule, tenths};
use crate::ground::{Link, REPLICAS};
use crate::partner::Mood;
use crate::proxy::{Shock, Weather};

/// A fault, when it comes, and for how long.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// After the beginning.
    pub at: Duration,
    /// Until it is undone.
    pub hold: Duration,
    /// What.
    pub fault: Fault,
}

/// How often each kind comes, of all together.
const WEIGHTS: [(Kind, u32); 14] = [
    (Kind::Kill, 6),
    (Kind::Pause, 4),
    (Kind::Postgres, 1),
    (Kind::Pgbouncer, 2),
    (Kind::Redis, 2),
    (Kind::Flush, 2),
    (Kind::Full, 1),
    (Kind::Rabbitmq, 1),
    (Kind::Weather, 4),
    (Kind::Cut, 4),
    (Kind::Provider, 5),
    (Kind::Webhooks, 2),
    (Kind::Partner, 2),
    (Kind::Clock, 2),
];

/// How far ahead a clock is set, in seconds: past leases and links, and well within the minutes by
/// which signatures of webhooks may differ.
const AHEAD: std::ops::Range<u64> = 5..60;

/// All that a ground can have done to it.
pub fn kinds(through_pgbouncer: bool) -> Vec<Kind> {
    let kinds = WEIGHTS.iter().map(|(kind, _)| *kind);
    kinds
        .filter(|kind| through_pgbouncer || *kind != Kind::Pgbouncer)
        .collect()
}

/// Between two faults, in tenths of a second.
const GAP: std::ops::Range<u64> = 3..25;
/// After a fault of something is undone, until the next of the same.
const REST: Duration = Duration::from_secs(2);

/// The faults of a span of time, in order. Nothing has two at the same time. No kinds mean all.
pub fn plan(seed: u64, span: Duration, kinds: &[Kind]) -> Vec<Planned> {
    let mut rng = StdRng::seed_from_u64(seed);
    let wanted: Vec<(Kind, u32)> = WEIGHTS
        .into_iter()
        .filter(|(kind, _)| kinds.is_empty() || kinds.contains(kind))
        .collect();
    let mut busy: BTreeMap<String, Duration> = BTreeMap::new();
    let mut planned = Vec::new();
    let mut at = tenths(rng.random_range(GAP));
    while at < span {
        let Ok((kind, _)) = wanted.choose_weighted(&mut rng, |(_, weight)| *weight) else {
            break;
        };
        let (fault, hold) = draw(*kind, &mut rng);
        let hold = hold.min(span.saturating_sub(at));
        let until = busy.entry(fault.occupies()).or_default();
        if *until <= at {
            *until = at + hold + REST;
            planned.push(Planned { at, hold, fault });
        }
        at += tenths(rng.random_range(GAP));
    }
    planned
}

fn draw(kind: Kind, rng: &mut StdRng) -> (Fault, Duration) {
    let replica = REPLICAS[rng.random_range(0..REPLICAS.len())];
    let link = Link::ALL[rng.random_range(0..Link::ALL.len())];
    let some = |rng: &mut StdRng, range: std::ops::Range<u64>| tenths(rng.random_range(range));
    match kind {
        Kind::Kill => (Fault::Kill(replica), some(rng, 0..30)),
        Kind::Pause => (Fault::Pause(replica), some(rng, 5..200)),
        Kind::Postgres => (Fault::Postgres, some(rng, 0..30)),
        Kind::Redis => (Fault::Redis, some(rng, 0..50)),
        Kind::Pgbouncer => (Fault::Pgbouncer, some(rng, 0..20)),
        Kind::Flush => (Fault::Flush, Duration::ZERO),
        Kind::Full => (Fault::Full, some(rng, 20..80)),
        Kind::Rabbitmq => (Fault::Rabbitmq, some(rng, 0..50)),
        Kind::Weather => {
            let weather = match rng.random_range(0..3) {
                0 => Weather::Slow(tenths(rng.random_range(1..8))),
                1 => Weather::Stalled,
                _ => Weather::Refusing,
            };
            (Fault::Weather(link, weather), some(rng, 5..80))
        }
        Kind::Cut => {
            let shock = if rng.random() {
                Shock::Cut
            } else {
                Shock::HalfClose
            };
            (Fault::Cut(link, shock), Duration::ZERO)
        }
        Kind::Provider => (provider(rng), some(rng, 20..100)),
        Kind::Webhooks => {
            let provider = ["stripe", "razorpay", "twilio", "whatsapp"][rng.random_range(0..4)];
            let disturbance = json!({
                "provider": provider,
                "repeat": rng.random_range(1..4),
                "reorder": rng.random::<bool>(),
                "window_ms": rng.random_range(200..1500),
                "delay_ms": rng.random_range(0..1500),
            });
            (Fault::Webhooks(disturbance), some(rng, 30..150))
        }
        Kind::Partner => {
            let mood = if rng.random() {
                Mood::Failing
            } else {
                Mood::Slow(tenths(rng.random_range(5..40)))
            };
            (Fault::Partner(mood), some(rng, 10..80))
        }
        Kind::Clock => {
            let ahead = Duration::from_secs(rng.random_range(AHEAD));
            (Fault::Clock(replica, ahead), some(rng, 20..150))
        }
    }
}

fn provider(rng: &mut StdRng) -> Fault {
    let target = ["stripe", "razorpay", "twilio", "whatsapp", "smtp"][rng.random_range(0..5)];
    let mode = match rng.random_range(0..5) {
        0 => json!({ "mode": "slow", "ms": rng.random_range(200..6000) }),
        1 => json!({ "mode": "fail", "status": if target == "smtp" { 451 } else { 503 } }),
        2 => json!({ "mode": "timeout_after_acting", "ms": rng.random_range(0..2000) }),
        3 => json!({ "mode": "drop_before_acting" }),
        _ => json!({ "mode": "rate_limited" }),
    };
    Fault::Provider(rule(target, mode, rng.random_range(1..12)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Duration = Duration::from_mins(20);

    #[test]
    fn the_same_seed_plans_the_same() {
        assert_eq!(plan(7, SPAN, &[]), plan(7, SPAN, &[]));
        assert_ne!(plan(7, SPAN, &[]), plan(8, SPAN, &[]));
    }

    #[test]
    fn every_kind_comes_and_all_are_undone_in_time() {
        let planned = plan(7, SPAN, &[]);
        for (kind, _) in WEIGHTS {
            assert!(planned.iter().any(|it| it.fault.kind() == kind), "{kind:?}");
        }
        assert!(planned.iter().all(|it| it.at + it.hold <= SPAN));
    }

    #[test]
    fn nothing_has_two_faults_at_a_time() {
        let mut until: BTreeMap<String, Duration> = BTreeMap::new();
        for it in plan(7, SPAN, &[]) {
            let busy = until.insert(it.fault.occupies(), it.at + it.hold);
            assert!(busy.is_none_or(|busy| busy < it.at), "{}", it.fault);
        }
    }

    #[test]
    fn only_what_is_wanted_comes() {
        let planned = plan(7, SPAN, &[Kind::Flush]);
        assert!(!planned.is_empty());
        assert!(planned.iter().all(|it| it.fault == Fault::Flush));
    }
}
