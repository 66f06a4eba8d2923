//! What a policy rather has, and what yields to rules and to the recovery's end.

use std::borrow::Cow;

use super::shift::Shifting;
use super::{Facts, Outcome, clock};
use crate::policy::RetryPolicy;

/// A preference; the more important ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Preference {
    /// A charge for which money was short waits for a pay-day. It waits for one
    /// once: when that falls on a week-end the day after is as good.
    PayDay,
    /// Not at the week-end.
    Weekday,
    /// A charge within the policy's best hours.
    BestHours,
}

/// A week has a working day, since a week-end has at most six.
const DAYS_TO_A_WORKING_DAY: u32 = 7;

impl Preference {
    /// The preferences of a policy on a charge, for these facts.
    pub(super) fn of_charges(policy: &RetryPolicy, facts: &Facts) -> Vec<Self> {
        let document = policy.document();
        let pay_days = &document.pay_days;
        let for_category = pay_days.categories.contains(&facts.failure.category);
        [
            (pay_days.enabled && for_category).then_some(Self::PayDay),
            document.weekends.avoid_charges.then_some(Self::Weekday),
            document.best_charge_hours.map(|_| Self::BestHours),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Moves a time to where this preference has it. `first` is false once
    /// preferences were asked before.
    pub(super) fn shift(
        self,
        policy: &RetryPolicy,
        facts: &Facts,
        first: bool,
        time: &mut Shifting,
    ) {
        let document = policy.document();
        let (zone, country, at) = (facts.time_zone, facts.country, time.at);
        let today = || clock::local(at, zone).date();
        let to = match self {
            Self::PayDay => {
                let paid = |date| document.pay_days.include(country, date);
                let waits = first && !paid(today());
                waits.then(|| clock::same_time_on(at, zone, document.pay_days.within_days, paid))
            }
            Self::Weekday => {
                let weekend = |date| document.weekends.include(country, date);
                let works = |date| !weekend(date);
                weekend(today())
                    .then(|| clock::same_time_on(at, zone, DAYS_TO_A_WORKING_DAY, works))
            }
            Self::BestHours => document.best_charge_hours.and_then(|hours| {
                let now = clock::local(at, zone).time();
                let within = hours.from.time() <= now && now < hours.until.time();
                (!within).then(|| clock::next_showing(hours.from.time(), zone, at))
            }),
        };
        if let Some(to) = to.flatten() {
            time.not_before(to, self.field(), self.why());
        }
    }

    /// That this preference is not followed, and why.
    pub(super) fn yielded(self, why: &'static str) -> Outcome {
        let what = match self {
            Self::PayDay => "no pay-day is waited for",
            Self::Weekday => "the week-end is not avoided",
            Self::BestHours => "the best hours are not kept",
        };
        Outcome::Yielded {
            rule: Cow::Borrowed(self.field()),
            words: Cow::Owned(format!("{what}: {why}")),
        }
    }

    const fn field(self) -> &'static str {
        match self {
            Self::PayDay => "pay_days",
            Self::Weekday => "weekends",
            Self::BestHours => "best_charge_hours",
        }
    }

    const fn why(self) -> &'static str {
        match self {
            Self::PayDay => "a pay-day",
            Self::Weekday => "not at the week-end",
            Self::BestHours => "the policy's best hours for charges",
        }
    }
}
