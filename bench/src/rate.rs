//! Figures.

use std::fmt;
use std::time::Duration;

/// So many a second.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Rate(f64);

impl Rate {
    /// `count` in `time`; zero if no time passed.
    #[expect(
        clippy::float_arithmetic,
        clippy::cast_precision_loss,
        reason = "a measurement, not money; counts stay far below 2^52"
    )]
    pub fn of(count: u64, time: Duration) -> Self {
        let seconds = time.as_secs_f64();
        Self(if seconds > 0.0 {
            count as f64 / seconds
        } else {
            0.0
        })
    }

    /// So many a second, as somebody else measured it.
    pub const fn measured(per_second: f64) -> Self {
        Self(per_second)
    }

    /// An order in which the slowest can be found; see [`f64::total_cmp`].
    pub fn total_cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }

    /// How many times the `ceiling` this is.
    #[expect(clippy::float_arithmetic, reason = "a measurement, not money")]
    pub fn ratio_to(self, ceiling: Self) -> Ratio {
        Ratio(self.0 / ceiling.0)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0}", self.0)
    }
}

/// A rate over another.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Ratio(f64);

impl Ratio {
    /// An order in which the smallest can be found; see [`f64::total_cmp`].
    pub fn total_cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2}", self.0)
    }
}

/// Microseconds as milliseconds with two places.
pub fn millis(micros: u64) -> String {
    let hundredths = micros.saturating_add(5) / 10;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_count_over_its_time_and_a_ratio_is_unitless() {
        let rate = Rate::of(3_000, Duration::from_millis(1_500));
        assert_eq!(rate.to_string(), "2000");
        assert_eq!(rate.ratio_to(Rate::measured(2_500.0)).to_string(), "0.80");
        assert_eq!(Rate::of(1, Duration::ZERO), Rate::measured(0.0));
    }

    #[test]
    fn microseconds_are_shown_as_milliseconds() {
        assert_eq!(millis(12_345), "12.35");
        assert_eq!(millis(40), "0.04");
    }
}
