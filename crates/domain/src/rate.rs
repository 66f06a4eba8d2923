//! How much a caller may do in a while: the generic cell rate algorithm.
//!
//! A bucket is one number, the theoretical arrival time: when it would be full
//! again if nothing more came. A request moves it on by its share of time, and is
//! refused where that would put it further ahead of now than a burst is long (ITU-T
//! I.371, annex A, the virtual scheduling algorithm). So any stretch of `t` seconds
//! admits at most `burst + rate × t`, a bucket that is lost is a full one, and there
//! is no window at whose edge twice as much fits.
//!
//! Times are microseconds since any fixed moment.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};

/// Microseconds in a second.
const SECOND: u64 = 1_000_000;
/// The most of `burst` and of the rate's number.
const MOST: u32 = 1_000_000;

/// A rate, and how much of it may come at once. Reads `100/s burst 400`, `20/min burst 5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Microseconds that one unit takes to come back; rounded up, so that never
    /// more than the rate is admitted.
    interval: u64,
    burst: NonZeroU32,
}

/// How a bucket stands after a request has asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// What is left right now.
    pub remaining: u32,
    /// Microseconds until all is back.
    pub full_after: u64,
    /// Microseconds until the same request would be admitted; 0 if it was.
    pub retry_after: u64,
}

impl Limit {
    /// `units` in each `seconds`, and `burst` at once; numbers that are out of
    /// bounds are put at the bound.
    pub fn new(units: NonZeroU32, seconds: NonZeroU32, burst: NonZeroU32) -> Self {
        let span = u64::from(seconds.get()) * SECOND;
        Self {
            interval: span.div_ceil(u64::from(units.get())).max(1),
            burst,
        }
    }

    /// The part of it that one of several may have, in percent: as slow as that,
    /// and at least one at once.
    #[must_use]
    pub fn share(self, percent: u8) -> Self {
        let percent = u32::from(percent.clamp(1, 100));
        let burst = self.burst.get().saturating_mul(percent) / 100;
        Self {
            interval: (self.interval * 100).div_ceil(percent.into()),
            burst: NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN),
        }
    }

    /// How much may come at once.
    pub const fn burst(self) -> u32 {
        self.burst.get()
    }

    /// Microseconds that one unit takes to come back.
    pub const fn interval(self) -> u64 {
        self.interval
    }

    /// Microseconds in which an empty bucket fills.
    pub const fn window(self) -> u64 {
        self.interval * self.burst.get() as u64
    }

    /// What stands at `arrival` in a bucket, as it counts now: neither past, nor
    /// further ahead than an empty bucket is, which only a clock that was set back
    /// can have made.
    pub fn ahead(self, arrival: Option<u64>, now: u64) -> u64 {
        let ahead = arrival.map_or(0, |arrival| arrival.saturating_sub(now));
        ahead.min(self.window())
    }

    /// How the bucket stands that is `ahead` of now, for a request of `cost` that
    /// was or was not admitted.
    pub fn standing(self, ahead: u64, admitted: bool, cost: u32) -> Standing {
        let left = self.window().saturating_sub(ahead);
        let wanted = self.interval * u64::from(self.within(cost));
        Standing {
            remaining: u32::try_from(left / self.interval).unwrap_or(u32::MAX),
            full_after: ahead,
            retry_after: if admitted {
                0
            } else {
                wanted.saturating_sub(left)
            },
        }
    }

    /// A request that costs more than ever fits takes all.
    fn within(self, cost: u32) -> u32 {
        cost.min(self.burst.get())
    }
}

/// Asks several buckets for `cost`, each given by its limit and its arrival time,
/// `None` if it was never used: either all of them admit it and are moved on, or
/// none is.
pub fn admit(buckets: &mut [(Limit, Option<u64>)], now: u64, cost: u32) -> bool {
    let after = |(limit, arrival): &(Limit, Option<u64>)| {
        limit.ahead(*arrival, now) + limit.interval * u64::from(limit.within(cost))
    };
    let fits = buckets
        .iter()
        .all(|bucket| after(bucket) <= bucket.0.window());
    if fits {
        for bucket in buckets {
            bucket.1 = Some(now + after(bucket));
        }
    }
    fits
}

/// A limit that does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a limit such as `100/s burst 400` or `20/min burst 5`, of 1 to {MOST} each")]
pub struct InvalidLimit;

impl FromStr for Limit {
    type Err = InvalidLimit;

    fn from_str(text: &str) -> Result<Self, InvalidLimit> {
        let mut words = text.split_ascii_whitespace();
        let (rate, word, burst) = (words.next(), words.next(), words.next());
        let (Some(rate), Some("burst"), Some(burst), None) = (rate, word, burst, words.next())
        else {
            return Err(InvalidLimit);
        };
        let number = |text: &str| {
            let number: NonZeroU32 = text.parse().ok()?;
            (number.get() <= MOST).then_some(number)
        };
        let (units, span) = rate.split_once('/').ok_or(InvalidLimit)?;
        let seconds = match span {
            "s" => Some(NonZeroU32::MIN),
            "min" => NonZeroU32::new(60),
            _ => None,
        };
        match (number(units), seconds, number(burst)) {
            (Some(units), Some(seconds), Some(burst)) => Ok(Self::new(units, seconds, burst)),
            _ => Err(InvalidLimit),
        }
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl fmt::Display for Limit {
    /// As a policy says it: so much within so many seconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.window().div_ceil(SECOND);
        write!(f, "{} within {seconds} s", self.burst)
    }
}

#[cfg(test)]
mod tests;
