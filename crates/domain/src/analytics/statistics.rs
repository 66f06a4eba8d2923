//! What can be said of an experiment's arms: rates and differences with their
//! intervals, and whether the arms have the sizes that they were dealt.
//!
//! The only place where Tinko reckons with floats. Nothing here is money: a lift
//! in money ([`money_lift`]) is whole minor units.

#![expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "statistics of counts, which stay far below 2^53; money stays in whole units"
)]

use serde::Serialize;
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// The quantile of the normal distribution for an interval of 95 %.
const Z95: f64 = 1.959_963_984_540_054;

/// So many of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    got: u64,
    of: u64,
}

/// From and to, both included.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Share {
    /// None of nothing, and of more than there are.
    pub fn new(got: u64, of: u64) -> Option<Self> {
        (of > 0 && got <= of).then_some(Self { got, of })
    }

    /// How many had it.
    pub const fn got(self) -> u64 {
        self.got
    }

    /// Of how many.
    pub const fn of(self) -> u64 {
        self.of
    }

    /// The share, from 0 to 1.
    pub fn rate(self) -> f64 {
        rounded(self.exact())
    }

    fn exact(self) -> f64 {
        self.got as f64 / self.of as f64
    }

    /// In which the true rate lies in 95 of 100 cases: Wilson's score interval
    /// without continuity correction (E. B. Wilson, JASA 22 (1927), 209–212).
    pub fn interval(self) -> Interval {
        let (low, high) = self.wilson();
        Interval {
            low: rounded(low),
            high: rounded(high),
        }
    }

    fn wilson(self) -> (f64, f64) {
        let (p, n) = (self.exact(), self.of as f64);
        let z2 = Z95 * Z95;
        let middle = p + z2 / (2.0 * n);
        let reach = Z95 * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
        let scale = 1.0 + z2 / n;
        let low = if self.got == 0 {
            0.0
        } else {
            (middle - reach) / scale
        };
        let high = if self.got == self.of {
            1.0
        } else {
            (middle + reach) / scale
        };
        (low.clamp(0.0, 1.0), high.clamp(0.0, 1.0))
    }

    /// By how much this rate is above the `other`, and in which interval the true
    /// difference lies in 95 of 100 cases: method 10 of R. G. Newcombe, Statistics
    /// in Medicine 17 (1998), 873–890, from both shares' score intervals. It holds
    /// for few and for extreme rates, where the textbook's does not.
    pub fn above(self, other: Self) -> Difference {
        let (p1, p2) = (self.exact(), other.exact());
        let ((l1, u1), (l2, u2)) = (self.wilson(), other.wilson());
        let difference = p1 - p2;
        let down = ((p1 - l1).powi(2) + (u2 - p2).powi(2)).sqrt();
        let up = ((u1 - p1).powi(2) + (p2 - l2).powi(2)).sqrt();
        Difference {
            estimate: rounded(difference),
            interval: Interval {
                low: rounded(difference - down),
                high: rounded(difference + up),
            },
        }
    }
}

/// One rate above another.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    /// The difference of the two rates, from -1 to 1.
    pub estimate: f64,
    /// Its interval of 95 %.
    #[serde(flatten)]
    pub interval: Interval,
}

impl Difference {
    /// Whether chance alone is a poor explanation: the interval leaves nought out.
    pub const fn is_clear(&self) -> bool {
        self.interval.low > 0.0 || self.interval.high < 0.0
    }
}

/// Whether arms have the sizes that they were dealt.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SampleRatio {
    /// Pearson's statistic.
    pub chi_squared: f64,
    /// One less than there are arms.
    pub degrees_of_freedom: u32,
    /// How likely sizes at least this far off are when all is well.
    pub p_value: f64,
}

impl SampleRatio {
    /// Below this likelihood something is wrong with the dealing, and no rate of the
    /// arms can be believed. Low, since it is looked at often: the usual 0.0005 of
    /// A. Fabijan et al., "Diagnosing Sample Ratio Mismatch in Online Controlled
    /// Experiments", KDD 2019.
    pub const MISMATCH_BELOW: f64 = 0.000_5;

    /// Pearson's chi-squared test of sizes against weights. None with fewer than two
    /// arms of weight, or where an arm expects fewer than five, for which the test
    /// does not hold. An arm without weight must be empty.
    pub fn test(arms: &[(u64, u32)]) -> Option<Self> {
        let arms: Vec<_> = arms.iter().filter(|(_, weight)| *weight > 0).collect();
        let total: u64 = arms.iter().map(|(size, _)| size).sum();
        let weights: f64 = arms.iter().map(|(_, weight)| f64::from(*weight)).sum();
        let degrees = u32::try_from(arms.len())
            .ok()?
            .checked_sub(1)
            .filter(|it| *it > 0)?;
        let mut chi_squared = 0.0;
        for (size, weight) in arms {
            let expected = total as f64 * f64::from(*weight) / weights;
            if expected < 5.0 {
                return None;
            }
            chi_squared += (*size as f64 - expected).powi(2) / expected;
        }
        let distribution = ChiSquared::new(f64::from(degrees)).ok()?;
        Some(Self {
            chi_squared: rounded(chi_squared),
            degrees_of_freedom: degrees,
            p_value: rounded(distribution.sf(chi_squared)),
        })
    }

    /// Whether the sizes cast doubt on the dealing.
    pub fn is_mismatch(&self) -> bool {
        self.p_value < Self::MISMATCH_BELOW
    }
}

/// What came in with an arm beyond what its recoveries would have brought at the
/// `other`'s average: `won` of `opened` recoveries against the other's. In minor
/// units, rounded towards nought; none if the other has no recoveries.
pub fn money_lift((won, opened): (i64, u64), (other_won, other_opened): (i64, u64)) -> Option<i64> {
    if other_opened == 0 {
        return None;
    }
    let expected = i128::from(other_won) * i128::from(opened) / i128::from(other_opened);
    i64::try_from(i128::from(won) - expected).ok()
}

/// To six digits: more would only tell how it was reckoned.
fn rounded(value: f64) -> f64 {
    let rounded = (value * 1e6).round() / 1e6;
    // No minus nought.
    rounded + 0.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn share(got: u64, of: u64) -> Share {
        Share::new(got, of).unwrap()
    }

    fn near(found: f64, told: f64) -> bool {
        (found - told).abs() < 0.000_06
    }

    /// Newcombe, Statistics in Medicine 17 (1998), 857–872, table I, method 3.
    #[test]
    fn intervals_of_one_share_are_those_of_newcombes_table() {
        for (got, of, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let found = share(got, of).interval();
            assert!(
                near(found.low, low) && near(found.high, high),
                "{got}/{of}: {found:?}"
            );
        }
    }

    /// Newcombe, Statistics in Medicine 17 (1998), 873–890, table II, method 10.
    #[test]
    fn intervals_of_differences_are_those_of_newcombes_table() {
        for ((a, m), (b, n), low, high) in [
            ((56, 70), (48, 80), 0.0524, 0.3339),
            ((9, 10), (3, 10), 0.1705, 0.8090),
            ((10, 10), (0, 20), 0.6791, 1.0),
            ((10, 10), (0, 10), 0.6075, 1.0),
        ] {
            let found = share(a, m).above(share(b, n)).interval;
            assert!(
                near(found.low, low) && near(found.high, high),
                "{a}/{m}: {found:?}"
            );
        }
    }

    #[test]
    fn shares_of_nothing_and_of_too_little_there_are_not() {
        assert_eq!(Share::new(0, 0), None);
        assert_eq!(Share::new(3, 2), None);
    }

    /// The 5 % points of any table: 3.841 with one degree, 5.991 with two.
    #[test]
    fn sizes_are_tested_by_chi_squared() {
        let even = SampleRatio::test(&[(500, 1), (500, 1)]).unwrap();
        assert!(near(even.chi_squared, 0.0) && near(even.p_value, 1.0));
        let off = SampleRatio::test(&[(1_000, 5_000), (1_100, 5_000)]).unwrap();
        assert_eq!(off.degrees_of_freedom, 1);
        assert!(near(off.chi_squared, 4.761_905) && near(off.p_value, 0.029_096));
        assert!(!off.is_mismatch());
        let wrong = SampleRatio::test(&[(900, 1), (1_100, 1), (1_000, 1)]).unwrap();
        assert_eq!(wrong.degrees_of_freedom, 2);
        assert!(near(wrong.chi_squared, 20.0));
        assert!(near(wrong.p_value, 0.000_045) && wrong.is_mismatch());
    }

    #[test]
    fn sizes_too_small_to_be_tested_are_not() {
        assert_eq!(SampleRatio::test(&[(4, 1), (4, 1)]), None);
        assert_eq!(SampleRatio::test(&[(400, 10_000)]), None);
    }

    #[test]
    fn a_lift_in_money_is_what_is_beyond_the_others_average() {
        assert_eq!(money_lift((50_000, 100), (2_000, 10)), Some(30_000));
        assert_eq!(money_lift((100, 3), (100, 7)), Some(58));
        assert_eq!(money_lift((0, 10), (500, 5)), Some(-1_000));
        assert_eq!(money_lift((1, 1), (0, 0)), None);
    }

    proptest! {
        #[test]
        fn an_interval_holds_its_rate_and_lies_between_nought_and_one(
            of in 1..100_000u64, part in 0.0..=1.0f64,
        ) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a test's draw")]
            let got = (of as f64 * part) as u64;
            let share = share(got, of);
            let Interval { low, high } = share.interval();
            prop_assert!(0.0 <= low && low <= share.rate() && share.rate() <= high && high <= 1.0);
        }

        #[test]
        fn a_difference_turned_round_is_its_own_opposite(
            (a, m) in (0..500u64, 500..1_000u64), (b, n) in (0..500u64, 500..1_000u64),
        ) {
            let there = share(a, m).above(share(b, n));
            let back = share(b, n).above(share(a, m));
            prop_assert!((there.estimate + back.estimate).abs() < 1e-9);
            prop_assert!((there.interval.low + back.interval.high).abs() < 1e-9);
            prop_assert!(there.interval.low <= there.estimate);
        }

        #[test]
        fn more_of_the_same_makes_an_interval_narrower(got in 1..50u64, times in 2..50u64) {
            let few = share(got, 100).interval();
            let many = share(got * times, 100 * times).interval();
            prop_assert!(many.high - many.low < few.high - few.low);
        }
    }
}
