//! Whether one more charge may be made, and when.
//!
//! Every rule but the clock's forbids one stretch of time: from the day on which
//! it takes effect to the moment at which it is satisfied, or to the day on
//! which it ends. So each moves a charge at most once, the clock at most once
//! after each of them, and the search for a time that all allow has an end.

use std::borrow::Cow;

use chrono::{DateTime, TimeDelta, Timelike, Utc};

use super::case::{CardTry, ChargeCase};
use super::pack::RulePack;
use super::rule::{Binds, Counts, Rule, Signal};
use super::{TryOutcome, rules};

/// What the rules say to one more charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ceiling {
    /// It may be made.
    Allowed,
    /// Not before this time.
    NotBefore {
        /// The first time at which every rule allows it.
        at: DateTime<Utc>,
        /// The rule that moved it there.
        rule: &'static Rule,
    },
    /// Not again.
    Never {
        /// The rule that says so.
        rule: &'static Rule,
    },
}

/// What one rule forbids of a charge.
#[derive(Debug, Clone, Copy)]
enum Bar {
    /// Every time before this one.
    Before(DateTime<Utc>),
    /// Every time.
    Always,
    /// Every time outside of these minutes of a day.
    Clock(i64, &'static [(i64, i64)]),
}

/// A rule that stands, or may come to stand, in a charge's way.
struct Barrier {
    rule: &'static Rule,
    bar: Bar,
}

enum Verdict {
    Open,
    Closed(DateTime<Utc>),
    ClosedForEver,
}

impl RulePack {
    /// Whether and when one more charge may be made: the first time from `at` on
    /// that every rule of the edition allows. Asked again at the time that it
    /// answered, it allows the charge.
    pub fn earliest_charge(self, case: &ChargeCase<'_>, at: DateTime<Utc>) -> Ceiling {
        let barriers = self.barriers(case, at);
        let mut earliest = at;
        let mut moved_by = None;
        for _ in 0..=2 * barriers.len() {
            let mut moved = false;
            for barrier in &barriers {
                match barrier.verdict(earliest) {
                    Verdict::Open => {}
                    Verdict::Closed(until) => {
                        earliest = until;
                        moved_by = Some(barrier.rule);
                        moved = true;
                    }
                    Verdict::ClosedForEver => return Ceiling::Never { rule: barrier.rule },
                }
            }
            if !moved {
                break;
            }
        }
        moved_by.map_or(Ceiling::Allowed, |rule| Ceiling::NotBefore {
            at: earliest,
            rule,
        })
    }

    fn barriers(self, case: &ChargeCase<'_>, at: DateTime<Utc>) -> Vec<Barrier> {
        let tries = in_order(case.tries);
        rules::CHARGES
            .iter()
            .flat_map(|table| table.iter())
            .filter(|rule| rule.known_to(self) && rule.binds(case))
            .filter(|rule| rule.ends().is_none_or(|end| at < end))
            .filter_map(|rule| {
                let bar = rule.bar(case, &tries)?;
                let over = matches!(bar, Bar::Before(time) if time <= at);
                (!over).then_some(Barrier { rule, bar })
            })
            .collect()
    }
}

impl Barrier {
    fn verdict(&self, at: DateTime<Utc>) -> Verdict {
        if !self.rule.holds(at) {
            return Verdict::Open;
        }
        let free = match self.bar {
            Bar::Before(time) => Some(time),
            Bar::Always => None,
            Bar::Clock(offset, open) => Some(next_open(offset, open, at)),
        };
        match (free, self.rule.ends()) {
            (Some(free), _) if free <= at => Verdict::Open,
            (Some(free), Some(end)) => Verdict::Closed(free.min(end)),
            (Some(free), None) => Verdict::Closed(free),
            (None, Some(end)) => Verdict::Closed(end),
            (None, None) => Verdict::ClosedForEver,
        }
    }
}

impl Rule {
    fn bar(&self, case: &ChargeCase<'_>, tries: &[CardTry]) -> Option<Bar> {
        match self.binds {
            Binds::Tries {
                counts,
                window_hours,
                most,
                ..
            } => {
                let window = Window::new(counts, window_hours, case);
                window.full_until(tries, most).map(Bar::Before)
            }
            Binds::AfterCode {
                signal,
                codes,
                pause_days,
                ..
            } => {
                let code = match signal {
                    Signal::Decline => case.last_decline_code,
                    Signal::Advice => case.last_advice_code,
                }?
                .trim();
                let listed = codes.iter().any(|row| row.eq_ignore_ascii_case(code));
                listed.then(|| {
                    pause_days.map_or(Bar::Always, |days| {
                        Bar::Before(later(case.failed_at, TimeDelta::days(days)))
                    })
                })
            }
            Binds::Charges { most, .. } => (case.recovery_charges >= most).then_some(Bar::Always),
            Binds::Notice { hours, .. } => {
                Some(Bar::Before(later(case.decided_at, TimeDelta::hours(hours))))
            }
            Binds::Amount {
                currency,
                most_minor,
                ..
            } => {
                let above =
                    case.amount.currency().code() == currency && case.amount.minor() > most_minor;
                above.then_some(Bar::Always)
            }
            Binds::Clock {
                utc_offset_minutes,
                open,
                ..
            } => Some(Bar::Clock(utc_offset_minutes, open)),
            Binds::Messages { .. } => None,
        }
    }
}

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
                        before.outcome != TryOutcome::Approved
                            && later(before.at, self.length) > latest.at
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
fn later(at: DateTime<Utc>, by: TimeDelta) -> DateTime<Utc> {
    at.checked_add_signed(by)
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

const MINUTES_A_DAY: i64 = 24 * 60;

/// The first time from `at` on that lies within the open minutes of a day.
fn next_open(utc_offset_minutes: i64, open: &[(i64, i64)], at: DateTime<Utc>) -> DateTime<Utc> {
    let minute = (at.timestamp().div_euclid(60) + utc_offset_minutes).rem_euclid(MINUTES_A_DAY);
    if open
        .iter()
        .any(|(from, until)| (*from..*until).contains(&minute))
    {
        return at;
    }
    let wait = open
        .iter()
        .map(|(from, _)| (from - minute).rem_euclid(MINUTES_A_DAY))
        .min()
        .unwrap_or(0);
    let full_minute = at
        .with_second(0)
        .and_then(|at| at.with_nanosecond(0))
        .unwrap_or(at);
    later(full_minute, TimeDelta::minutes(wait))
}
