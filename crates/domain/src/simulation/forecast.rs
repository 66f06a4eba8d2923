//! What many recoveries that were played add up to.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::{Effect, Played};
use crate::limits::{CardTry, ChargeCase, RulePack};
use crate::schedule::Facts;
use crate::state::{AttemptKind, Channel};

/// The days and cards that a policy would act on.
#[derive(Debug, Default)]
pub struct Forecast {
    /// Messages by the payer's day and channel.
    pub contacts: BTreeMap<(NaiveDate, Channel), u32>,
    /// Charges by the payer's day and currency: how many, and the minor units
    /// asked for. Amounts of two currencies are never added.
    pub charges: BTreeMap<(NaiveDate, &'static str), Charges>,
    /// What rules kept the policy from: how often, by rule and effect.
    pub bound: BTreeMap<(String, Effect), u32>,
    /// Recoveries with at least one step.
    pub acted_on: u32,
    /// Recoveries that are held out.
    pub held_out: u32,
    /// Recoveries that end without any step, and are not held out.
    pub given_up: u32,
}

/// Charges of one day and currency.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Charges {
    /// How many.
    pub count: u32,
    /// What they ask for together, in minor units.
    pub minor: i128,
}

/// How far a card's budget would be used by all that was planned on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// The rule that sets it.
    pub rule: &'static str,
    /// Tries within its window when it is used most, those that were there
    /// before and those planned.
    pub used: u32,
    /// The most that it allows.
    pub most: u32,
}

impl Forecast {
    /// Adds a recovery that was played from `facts` on, by its payer's days.
    pub fn add(&mut self, facts: &Facts, played: &Played, pack: RulePack) {
        let currency = facts.amount.currency().code();
        for step in played.steps.iter().map(|played| &played.step) {
            let day = step.due_at.with_timezone(&facts.time_zone).date_naive();
            match step.kind {
                AttemptKind::Charge => {
                    let of_day = self.charges.entry((day, currency)).or_default();
                    of_day.count += 1;
                    of_day.minor += i128::from(facts.amount.minor());
                }
                AttemptKind::Message => {
                    for channel in &step.channels {
                        *self.contacts.entry((day, *channel)).or_default() += 1;
                    }
                }
            }
        }
        for (rule, effect) in played.bound_by(pack) {
            *self.bound.entry((rule.to_owned(), effect)).or_default() += 1;
        }
        if facts.assignment.hold_out {
            self.held_out += 1;
        } else if played.steps.is_empty() {
            self.given_up += 1;
        } else {
            self.acted_on += 1;
        }
    }
}

/// How far the budgets of one card would be used by several recoveries that
/// were played apart: each rule when it is used most. In truth a charge that a
/// budget has no room for is put off, not made.
///
/// `before` are tries that were there, which may be told by several recoveries;
/// `planned` are those that the plays made, each of which counts.
pub fn budgets(
    facts: &Facts,
    before: &[CardTry],
    planned: &[CardTry],
    pack: RulePack,
) -> Vec<Budget> {
    let mut most_used: BTreeMap<&'static str, Budget> = BTreeMap::new();
    let mut sorted = before.to_vec();
    sorted.sort_by_key(|tried| tried.at);
    sorted.dedup();
    sorted.extend_from_slice(planned);
    sorted.sort_by_key(|tried| tried.at);
    for (place, tried) in sorted.iter().enumerate() {
        let case = ChargeCase {
            rail: facts.rail,
            network: facts.network,
            country: facts.card_country.or(facts.country),
            amount: tried.amount,
            recurring: true,
            decided_at: tried.at,
            tries: sorted.get(..=place).unwrap_or_default(),
            last_decline_code: None,
            last_advice_code: None,
            failed_at: tried.at,
            recovery_charges: 0,
            time_zone: facts.time_zone,
        };
        for room in pack.room(&case, tried.at) {
            let budget = most_used.entry(room.rule).or_insert(Budget {
                rule: room.rule,
                used: 0,
                most: room.most,
            });
            if room.used > budget.used {
                (budget.used, budget.most) = (room.used, room.most);
            }
        }
    }
    most_used.into_values().collect()
}
