//! What becomes of a delivery.

use chrono::{DateTime, TimeDelta, Utc};
use rand::{Rng, RngExt as _};

use crate::state::named;

named! {
    /// Where a delivery stands.
    DeliveryState, "delivery state" {
        /// Waiting for its due time, or for its endpoint's breaker.
        Pending = "pending",
        /// Leased by a process that sends it.
        Sending = "sending",
        /// Answered with 2xx.
        Delivered = "delivered",
        /// Not tried any more.
        Failed = "failed",
        /// Its endpoint was disabled or deleted first.
        Cancelled = "cancelled",
    }
}

named! {
    /// Why a delivery is made.
    DeliveryCause, "cause of a delivery" {
        /// Its event happened.
        Event = "event",
        /// Somebody tries the endpoint.
        Test = "test",
        /// Somebody asked for it once more.
        Replay = "replay",
    }
}

impl DeliveryState {
    /// Whether a delivery may move from here to `next`.
    pub const fn can_become(self, next: Self) -> bool {
        use DeliveryState::{Cancelled, Delivered, Failed, Pending, Sending};
        matches!(
            (self, next),
            (Pending, Sending | Cancelled) | (Sending, Delivered | Failed | Pending)
        )
    }

    /// Whether nothing more becomes of it.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::Failed | Self::Cancelled)
    }
}

/// Pauses before the second try and those after it: the example of Standard
/// Webhooks 1.0.0, ten tries over a little more than three days.
pub const RETRY_DELAYS: [TimeDelta; 9] = [
    TimeDelta::seconds(5),
    TimeDelta::minutes(5),
    TimeDelta::minutes(30),
    TimeDelta::hours(2),
    TimeDelta::hours(5),
    TimeDelta::hours(10),
    TimeDelta::hours(14),
    TimeDelta::hours(20),
    TimeDelta::hours(24),
];

/// The longest that a receiver's `Retry-After` is heeded.
pub const LONGEST_RETRY_AFTER: TimeDelta = TimeDelta::hours(24);

/// Up to a fifth more, so that what failed together does not come back together.
const JITTER_PERCENT: i64 = 20;

/// What a receiver said to one try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// An HTTP answer, with how long it asks to be left alone.
    Status {
        /// Its status.
        code: u16,
        /// Its `Retry-After`.
        retry_after: Option<TimeDelta>,
    },
    /// None: no connection, a time-out, an address that must not be connected to.
    None,
}

/// What becomes of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It arrived.
    Delivered,
    /// It is tried again then.
    Retry {
        /// When.
        at: DateTime<Utc>,
    },
    /// The schedule is at its end.
    Failed,
    /// The receiver wants nothing more (410): its endpoint is disabled.
    Gone,
}

impl Verdict {
    /// The state that a delivery comes to by it.
    pub const fn state(self) -> DeliveryState {
        match self {
            Self::Delivered => DeliveryState::Delivered,
            Self::Retry { .. } => DeliveryState::Pending,
            Self::Failed | Self::Gone => DeliveryState::Failed,
        }
    }
}

/// Judges the `tries`-th try, from 1, which ended at `now`. A redirect is a failure:
/// Standard Webhooks says so, and one that is not followed leads nowhere else. A
/// test is not tried again: somebody is looking.
pub fn verdict(
    answer: Answer,
    tries: u32,
    cause: DeliveryCause,
    now: DateTime<Utc>,
    rng: &mut (impl Rng + ?Sized),
) -> Verdict {
    let wished = match answer {
        Answer::Status {
            code: 200..=299, ..
        } => return Verdict::Delivered,
        Answer::Status { code: 410, .. } => return Verdict::Gone,
        Answer::Status { retry_after, .. } => retry_after.unwrap_or_default(),
        Answer::None => TimeDelta::zero(),
    };
    let next = usize::try_from(tries.saturating_sub(1)).ok();
    match next.and_then(|next| RETRY_DELAYS.get(next)) {
        Some(delay) if cause != DeliveryCause::Test => {
            let wished = wished.clamp(TimeDelta::zero(), LONGEST_RETRY_AFTER);
            Verdict::Retry {
                at: now + jittered(*delay, rng).max(wished),
            }
        }
        _ => Verdict::Failed,
    }
}

fn jittered(delay: TimeDelta, rng: &mut (impl Rng + ?Sized)) -> TimeDelta {
    let millis = delay.num_milliseconds();
    let more = millis / 100 * rng.random_range(0..=JITTER_PERCENT);
    TimeDelta::milliseconds(millis + more)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    const STATUS_500: Answer = Answer::Status {
        code: 500,
        retry_after: None,
    };

    fn judge(answer: Answer, tries: u32, cause: DeliveryCause) -> Verdict {
        let now = DateTime::UNIX_EPOCH;
        verdict(answer, tries, cause, now, &mut StdRng::seed_from_u64(1))
    }

    #[test]
    fn a_delivery_is_tried_ten_times_over_three_days() {
        let mut at = TimeDelta::zero();
        for (index, delay) in RETRY_DELAYS.iter().enumerate() {
            let tries = u32::try_from(index + 1).unwrap();
            let Verdict::Retry { at: next } = judge(STATUS_500, tries, DeliveryCause::Event) else {
                panic!("try {tries} is the last");
            };
            let pause = next - DateTime::UNIX_EPOCH;
            assert!(pause >= *delay && pause <= *delay * 6 / 5, "{pause}");
            at += *delay;
        }
        assert_eq!(at.num_hours(), 75);
        let last = judge(STATUS_500, 10, DeliveryCause::Event);
        assert_eq!(last, Verdict::Failed);
    }

    #[test]
    fn only_2xx_delivers_and_410_is_goodbye() {
        for code in [200, 204, 299] {
            let answer = Answer::Status {
                code,
                retry_after: None,
            };
            assert_eq!(judge(answer, 3, DeliveryCause::Event), Verdict::Delivered);
        }
        for code in [199, 301, 302, 308, 400, 404, 429, 500, 503] {
            let answer = Answer::Status {
                code,
                retry_after: None,
            };
            let judged = judge(answer, 3, DeliveryCause::Replay);
            assert!(matches!(judged, Verdict::Retry { .. }), "{code}");
        }
        let gone = Answer::Status {
            code: 410,
            retry_after: None,
        };
        assert_eq!(judge(gone, 1, DeliveryCause::Event), Verdict::Gone);
    }

    #[test]
    fn a_test_is_tried_once() {
        assert_eq!(judge(Answer::None, 1, DeliveryCause::Test), Verdict::Failed);
    }

    #[test]
    fn the_moves_are_those_of_the_diagram() {
        let moves: Vec<String> = DeliveryState::ALL
            .iter()
            .flat_map(|from| DeliveryState::ALL.iter().map(move |to| (*from, *to)))
            .filter(|(from, to)| from.can_become(*to))
            .map(|(from, to)| format!("{from} {to}"))
            .collect();
        assert_eq!(
            moves,
            [
                "pending sending",
                "pending cancelled",
                "sending pending",
                "sending delivered",
                "sending failed",
            ]
        );
        let ends = DeliveryState::ALL.iter().filter(|state| state.is_final());
        assert!(ends.into_iter().all(|end| {
            let mut all = DeliveryState::ALL.iter();
            !all.any(|next| end.can_become(*next))
        }));
    }

    proptest! {
        #[test]
        fn a_wish_to_be_left_alone_is_heeded_up_to_a_day(
            seconds in 0_i64..10_000_000, tries in 1_u32..=9, seed in any::<u64>(),
        ) {
            let wish = TimeDelta::seconds(seconds);
            let answer = Answer::Status { code: 503, retry_after: Some(wish) };
            let now = DateTime::UNIX_EPOCH;
            let mut rng = StdRng::seed_from_u64(seed);
            let judged = verdict(answer, tries, DeliveryCause::Event, now, &mut rng);
            let Verdict::Retry { at } = judged else { panic!("{judged:?}") };
            prop_assert!(at - now >= wish.min(LONGEST_RETRY_AFTER));
            prop_assert!(at - now <= TimeDelta::hours(29));
        }
    }
}
