//! The rules, one table for each network, rail or law.

mod bank_debit;
mod hours;
mod india;
mod mastercard;
mod other_networks;
mod visa;

use super::pack::RulePack;
use super::rule::{Binds, Rule, Source, date};
use chrono::NaiveDate;

/// Rules on charges. The last one that moves a charge is the one that is named.
pub(super) const CHARGES: &[&[Rule]] = &[
    visa::RULES,
    mastercard::RULES,
    other_networks::RULES,
    bank_debit::RULES,
    india::RULES,
];
/// Rules on the hours of messages.
pub(super) const HOURS: &[Rule] = hours::RULES;
/// Every table.
pub(super) const TABLES: &[&[Rule]] = &[
    visa::RULES,
    mastercard::RULES,
    other_networks::RULES,
    bank_debit::RULES,
    india::RULES,
    hours::RULES,
];

/// A rule that has no known end, known since an edition and still.
const fn rule(
    id: &'static str,
    words: &'static str,
    source: Source,
    since: NaiveDate,
    known_from: RulePack,
    binds: Binds,
) -> Rule {
    Rule {
        id,
        words,
        source,
        since,
        until: None,
        known_from,
        known_until: None,
        binds,
    }
}

impl Rule {
    const fn ending(mut self, year: i32, month: u32, day: u32) -> Self {
        self.until = Some(date(year, month, day));
        self
    }

    const fn known_until(mut self, pack: RulePack) -> Self {
        self.known_until = Some(pack);
        self
    }
}
