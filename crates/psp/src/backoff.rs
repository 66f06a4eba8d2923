//! How long to wait between tries of one request.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;

/// Waits that double, each drawn at random from the upper half of its span,
/// so that many workers that failed together don't return together.
#[derive(Clone)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    rng: Arc<Mutex<StdRng>>,
}

impl Backoff {
    pub(crate) fn new(first: Duration, longest: Duration, rng: StdRng) -> Self {
        Self {
            first,
            longest,
            rng: Arc::new(Mutex::new(rng)),
        }
    }

    /// The wait after try number `tries` (1 is the first), at least `asked`.
    pub(crate) fn wait(&self, tries: u32, asked: Option<Duration>) -> Duration {
        let doubled = self
            .first
            .saturating_mul(2u32.saturating_pow(tries.saturating_sub(1)))
            .min(self.longest);
        let high = u64::try_from(doubled.as_millis()).unwrap_or(u64::MAX);
        let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
        let drawn = Duration::from_millis(rng.random_range(high / 2..=high));
        drawn.max(asked.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;

    proptest! {
        #[test]
        fn a_wait_lies_in_the_upper_half_of_its_span(seed: u64, tries in 1u32..80) {
            let backoff = Backoff::new(
                Duration::from_millis(200),
                Duration::from_secs(2),
                StdRng::seed_from_u64(seed),
            );
            let span = Duration::from_millis(200).saturating_mul(2u32.saturating_pow(tries - 1))
                .min(Duration::from_secs(2));
            let wait = backoff.wait(tries, None);
            prop_assert!(wait >= span / 2 && wait <= span);
            prop_assert!(backoff.wait(tries, Some(Duration::from_secs(9))) == Duration::from_secs(9));
        }
    }
}
