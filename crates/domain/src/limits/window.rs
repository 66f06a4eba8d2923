//! Rolling windows over the tries on a card.

use std::borrow::Cow;

use chrono::{DateTime, TimeDelta, Utc};

use super::TryOutcome;
use super::case::{CardTry, ChargeCase};
use super::rule::Counts;

/// A rolling window over the tries on a card.
#[derive(Clone, Copy)]
pub(super) struct Window<'a> {
    counts: Counts,
    length: TimeDelta,
    case: &'a ChargeCase<'a>,
}

impl<'a> Window<'a> {
    pub(super) const fn new(counts: Counts, hours: i64, case: &'a ChargeCase<'a>) -> Self {
        Self {
            counts,
            length: TimeDelta::hours(hours),
            case,
        }
    }

    /// Until when it is full: until then it holds `most` tries or more. Nothing
    /// when it was never full with the tries that are known.
    pub(super) fn full_until(self, tries: &[CardTry], most: u32) -> Option<DateTime<Utc>> {
        let before = usize::try_from(most).ok()?.checked_sub(1)?;
        if tries.len() <= before {
            return None;
        }
        self.counted(tries)
            .nth(before)
            .map(|at| later(at, self.length))
    }

    /// How many tries it holds at `at`.
    pub(super) fn used(self, tries: &[CardTry], at: DateTime<Utc>) -> u32 {
        let within = self
            .counted(tries)
            .take_while(|tried| later(*tried, self.length) > at)
            .count();
        u32::try_from(within).unwrap_or(u32::MAX)
    }

    /// The tries that it counts, the newest first; `tries` are in order of time.
    fn counted(self, tries: &[CardTry]) -> impl Iterator<Item = DateTime<Utc>> {
        // Times are subtracted once where that is enough: it is most of the work.
        let near = move |before: &CardTry, after: &CardTry| {
            after.at.signed_duration_since(before.at) < self.length
        };
        let all_near = match tries {
            [first, .., last] => near(first, last),
            _ => true,
        };
        let by_amount = self.counts == Counts::ReattemptsOfAmount;
        let mut same = tries
            .iter()
            .rev()
            .filter(move |tried| !by_amount || tried.amount == self.case.amount)
            .peekable();
        std::iter::from_fn(move || {
            loop {
                let latest = same.next()?;
                let counts = match self.counts {
                    Counts::Declines => latest.outcome != TryOutcome::Approved,
                    Counts::ReattemptsOfAmount => same.peek().is_some_and(|before| {
                        before.outcome != TryOutcome::Approved && (all_near || near(before, latest))
                    }),
                };
                if counts {
                    return Some(latest.at);
                }
            }
        })
    }
}

/// The tries in order of time; they are copied only if they are not.
pub(super) fn in_order(tries: &[CardTry]) -> Cow<'_, [CardTry]> {
    if tries.is_sorted_by_key(|tried| tried.at) {
        return Cow::Borrowed(tries);
    }
    let mut sorted = tries.to_vec();
    sorted.sort_by_key(|tried| tried.at);
    Cow::Owned(sorted)
}

/// `at` plus `by`, or the end of time.
pub(super) fn later(at: DateTime<Utc>, by: TimeDelta) -> DateTime<Utc> {
    at.checked_add_signed(by)
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}
