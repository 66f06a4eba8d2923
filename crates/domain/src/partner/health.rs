//! The circuit breaker of one endpoint.

use chrono::{DateTime, TimeDelta, Utc};

/// Failures on end after which an endpoint is paused.
pub const MOST_FAILURES: u32 = 5;

/// Failing for so long, an endpoint is disabled. Longer than the schedule of one
/// delivery, so that no delivery is cut short by it.
pub const DISABLED_AFTER: TimeDelta = TimeDelta::days(5);

/// The first pause; each failed probe doubles it.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(30);

/// The longest pause.
const LONGEST_PAUSE: TimeDelta = TimeDelta::hours(1);

/// How deliveries to one endpoint have gone lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Health {
    /// Failures since the last success.
    pub failures: u32,
    /// Since when nothing has succeeded; none while all is well.
    pub failing_since: Option<DateTime<Utc>>,
    /// Nothing is sent before; after it one delivery at a time, as a probe.
    pub paused_until: Option<DateTime<Utc>>,
}

/// What follows from a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setback {
    /// The endpoint goes on, in this health.
    Goes(Health),
    /// It has failed for too long: it is disabled.
    Disable,
}

impl Health {
    /// Whether the breaker has tripped: one delivery at a time, if any.
    pub const fn is_tripped(&self) -> bool {
        self.failures >= MOST_FAILURES
    }

    /// After a failure at `now`. Deliveries that were under way when the breaker
    /// tripped fail too; they neither count nor lengthen the pause.
    #[must_use]
    pub fn after_failure(self, now: DateTime<Utc>) -> Setback {
        let since = self.failing_since.unwrap_or(now);
        if now - since >= DISABLED_AFTER {
            return Setback::Disable;
        }
        if self.paused_until.is_some_and(|until| now < until) {
            return Setback::Goes(self);
        }
        let failures = self.failures.saturating_add(1);
        let probes = failures.checked_sub(MOST_FAILURES);
        let pause = probes.map(|probes| {
            let doubled = FIRST_PAUSE * 2_i32.pow(probes.min(16));
            doubled.min(LONGEST_PAUSE)
        });
        Setback::Goes(Self {
            failures,
            failing_since: Some(since),
            paused_until: pause.map(|pause| now + pause),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn after(health: Health, now: DateTime<Utc>) -> Health {
        match health.after_failure(now) {
            Setback::Goes(health) => health,
            Setback::Disable => panic!("disabled at {now}"),
        }
    }

    #[test]
    fn the_fifth_failure_on_end_pauses() {
        let mut health = Health::default();
        for _ in 1..MOST_FAILURES {
            health = after(health, START);
            assert_eq!((health.paused_until, health.is_tripped()), (None, false));
        }
        health = after(health, START);
        assert!(health.is_tripped());
        assert_eq!(health.paused_until, Some(START + FIRST_PAUSE));
    }

    #[test]
    fn what_was_under_way_does_not_lengthen_the_pause() {
        let paused = Health {
            failures: MOST_FAILURES,
            failing_since: Some(START),
            paused_until: Some(START + FIRST_PAUSE),
        };
        assert_eq!(after(paused, START + TimeDelta::seconds(1)), paused);
    }

    #[test]
    fn each_failed_probe_doubles_the_pause_up_to_an_hour_and_five_days_disable() {
        let mut health = Health::default();
        let mut now = START;
        let mut pauses = Vec::new();
        let end = loop {
            match health.after_failure(now) {
                Setback::Goes(next) => health = next,
                Setback::Disable => break now,
            }
            if let Some(until) = health.paused_until {
                pauses.push((until - now).num_seconds());
                now = until;
            }
        };
        assert_eq!(pauses[..8], [30, 60, 120, 240, 480, 960, 1_920, 3_600]);
        assert!(pauses[8..].iter().all(|pause| *pause == 3_600));
        assert!(end - START >= DISABLED_AFTER);
        assert!(end - START <= DISABLED_AFTER + LONGEST_PAUSE);
    }
}
