//! How hard one account is asked: so many requests a second, so many at once.
//!
//! PSPs limit an account, not a caller: what Tinko asks, the merchant's own
//! site cannot. So Tinko keeps to a share of what is documented ([`RateLimits`])
//! and finds out by waiting here rather than by a refusal. The pace is the
//! generic cell rate algorithm (GCRA): requests are let through at even
//! distances, and an account that was idle may begin with a short burst.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

/// The longest rest that a PSP's `Retry-After` gets for a whole account.
const LONGEST_REST: Duration = Duration::from_mins(1);

/// How hard one account is asked by one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits {
    /// Requests a second under a live key of Stripe. Half of what Stripe takes
    /// of an account (100 a second, and 25 of one endpoint: a charge is a
    /// look-up and a confirmation, which are two), so that the merchant's own
    /// site has the other half.
    /// <https://docs.stripe.com/rate-limits>, read 2026-11-25.
    pub stripe_live: NonZeroU32,
    /// Requests a second under any other key of Stripe: half of a sandbox's 25.
    pub stripe_test: NonZeroU32,
    /// Requests a second over Razorpay, which names no figure and answers 429.
    pub razorpay: NonZeroU32,
    /// Requests under way at once over one account. Stripe limits concurrency
    /// too, and names no figure.
    pub at_once: usize,
}

const fn per_second(count: u32) -> NonZeroU32 {
    match NonZeroU32::new(count) {
        Some(count) => count,
        None => NonZeroU32::MIN,
    }
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            stripe_live: per_second(50),
            stripe_test: per_second(12),
            razorpay: per_second(10),
            at_once: 20,
        }
    }
}

impl RateLimits {
    /// The same number of requests a second over every account.
    #[must_use]
    pub const fn everywhere(self, per_second: NonZeroU32) -> Self {
        Self {
            stripe_live: per_second,
            stripe_test: per_second,
            razorpay: per_second,
            ..self
        }
    }

    /// For a secret key of Stripe: live ones say so (`sk_live_…`, `rk_live_…`).
    pub(crate) fn of_stripe(&self, key: &str) -> NonZeroU32 {
        if key.contains("_live_") {
            self.stripe_live
        } else {
            self.stripe_test
        }
    }
}

/// The pace of one account.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Between two requests.
    gap: Duration,
    /// How far requests may run ahead of that: a fifth of a second's worth.
    ahead: Duration,
    /// When the next request would come at an even pace.
    even: Mutex<Instant>,
    places: Semaphore,
}

/// A place among the requests under way; given back when dropped.
pub(crate) struct Turn<'a>(#[expect(dead_code, reason = "held, not read")] SemaphorePermit<'a>);

impl Pace {
    pub(crate) fn new(per_second: NonZeroU32, at_once: usize) -> Self {
        let gap = Duration::from_secs(1) / per_second.get();
        Self {
            gap,
            ahead: Duration::from_millis(200).saturating_sub(gap),
            even: Mutex::new(Instant::now()),
            places: Semaphore::new(at_once.max(1)),
        }
    }

    /// Waits for a turn. None if there is none before `deadline`: nothing was
    /// reserved then.
    pub(crate) async fn turn(&self, deadline: Instant) -> Option<Turn<'_>> {
        let place = timeout_at(deadline, self.places.acquire()).await;
        let place = place.ok()?.ok()?;
        let at = self.reserve(Instant::now(), deadline)?;
        tokio::time::sleep_until(at).await;
        Some(Turn(place))
    }

    /// Takes the next time at which a request may go, if it is before `deadline`.
    fn reserve(&self, now: Instant, deadline: Instant) -> Option<Instant> {
        let mut even = self.even.lock().unwrap_or_else(PoisonError::into_inner);
        let from = (*even).max(now);
        let at = from.checked_sub(self.ahead).unwrap_or(now).max(now);
        if at >= deadline {
            return None;
        }
        *even = from + self.gap;
        Some(at)
    }

    /// Lets the account rest, as its PSP has asked.
    pub(crate) fn rest(&self, pause: Duration, now: Instant) {
        let mut even = self.even.lock().unwrap_or_else(PoisonError::into_inner);
        *even = (*even).max(now + pause.min(LONGEST_REST) + self.ahead);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ten_a_second() -> Pace {
        Pace::new(per_second(10), 2)
    }

    fn far(now: Instant) -> Instant {
        now + Duration::from_hours(1)
    }

    proptest! {
        #[test]
        fn no_second_has_more_requests_than_the_pace_and_its_burst(
            rate in 1u32..200,
            pauses in prop::collection::vec(0u64..300, 1..300),
        ) {
            let pace = Pace::new(per_second(rate), 1);
            let mut now = Instant::now();
            let mut went: Vec<Instant> = Vec::new();
            for pause in pauses {
                now += Duration::from_millis(pause);
                went.push(pace.reserve(now, far(now)).unwrap());
            }
            for (at, first) in went.iter().enumerate() {
                let window = *first..*first + Duration::from_secs(1);
                let within = went[at..].iter().filter(|it| window.contains(it)).count();
                prop_assert!(within <= usize::try_from(rate + rate / 5 + 1).unwrap());
            }
        }
    }

    #[test]
    fn an_account_that_rests_is_not_asked_before_its_time_and_not_reserved_past_a_deadline() {
        let (pace, now) = (ten_a_second(), Instant::now());
        pace.rest(Duration::from_secs(3), now);
        assert_eq!(pace.reserve(now, now + Duration::from_secs(2)), None);
        let at = pace.reserve(now, far(now)).unwrap();
        assert!(at >= now + Duration::from_secs(3));
    }

    #[tokio::test]
    async fn no_more_are_under_way_than_there_are_places() {
        let (pace, now) = (ten_a_second(), Instant::now());
        let deadline = now + Duration::from_millis(100);
        let first = pace.turn(deadline).await;
        let second = pace.turn(deadline).await;
        assert!(first.is_some() && second.is_some());
        assert!(pace.turn(deadline).await.is_none());
        drop(first);
        assert!(pace.turn(now + Duration::from_secs(5)).await.is_some());
    }

    #[test]
    fn a_live_key_is_told_from_a_test_key() {
        let limits = RateLimits::default();
        assert_eq!(limits.of_stripe("sk_live_abc"), limits.stripe_live);
        assert_eq!(limits.of_stripe("rk_live_abc"), limits.stripe_live);
        assert_eq!(limits.of_stripe("sk_test_abc"), limits.stripe_test);
    }
}
