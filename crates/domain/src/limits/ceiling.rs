//! Whether one more charge may be made, and when.
//!
//! Every rule but the clock's forbids one stretch of time: from the day on which
//! it takes effect to the moment at which it is satisfied, or to the day on
//! which it ends. So each moves a charge at most once, the clock at most once
//! after each of them, and the search for a time that all allow has an end.

use chrono::{DateTime, TimeDelta, Timelike, Utc};

use super::case::{CardTry, ChargeCase};
use super::pack::RulePack;
use super::rule::{Binds, Rule, Signal};
use super::rules;
use super::window::{Window, in_order, later};

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
