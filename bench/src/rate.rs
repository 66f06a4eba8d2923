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

    /// So many percent of it, in whole events.
    #[expect(
        clippy::float_arithmetic,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a measurement, not money; rates are far below 2^32"
    )]
    pub fn percent_of(self, percent: u32) -> u32 {
        (self.0 * f64::from(percent) / 100.0) as u32
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

    /// A ratio that is asked for.
    pub const fn wanted(ratio: f64) -> Self {
        Self(ratio)
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2}", self.0)
    }
}

/// The one in the middle, the higher of two; zero of none.
pub fn median(mut rates: Vec<Rate>) -> Rate {
    rates.sort_by(Rate::total_cmp);
    let middle = rates.get(rates.len() / 2);
    middle.copied().unwrap_or(Rate(0.0))
}

/// A part of a processor, in percent.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Percentage(f64);

impl Percentage {
    /// So many.
    pub const fn whole(percent: u8) -> Self {
        Self(percent as f64)
    }

    /// `used` of `time`; nothing if no time passed.
    #[expect(clippy::float_arithmetic, reason = "a measurement, not money")]
    pub fn of(used: Duration, time: Duration) -> Self {
        let all = time.as_secs_f64();
        Self(if all > 0.0 {
            100.0 * used.as_secs_f64() / all
        } else {
            0.0
        })
    }
}

impl fmt::Display for Percentage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2}", self.0)
    }
}

/// A time shared by `count` events, in milliseconds with two places.
pub fn millis_each(time: Duration, count: u64) -> String {
    let each = time.as_micros() / u128::from(count.max(1));
    millis(u64::try_from(each).unwrap_or(u64::MAX))
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
        assert_eq!(millis_each(Duration::from_secs(3), 2_000), "1.50");
    }
}
