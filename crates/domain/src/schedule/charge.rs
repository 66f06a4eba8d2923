//! When a charge falls: rules bind it, and the policy's preferences move it
//! where rules and the recovery's end leave room.

use std::borrow::Cow;

use super::place::{Obstacle, Placed, Placing, later};
use super::preference::Preference;
use super::shift::{Shift, Shifting};
use super::{Facts, Outcome};
use crate::classification::Hardness;
use crate::limits::{Ceiling, ChargeCase, Rail};
use crate::state::AttemptKind;

/// How often rules and preferences may move a charge by turns before a
/// preference yields: an hour that a rule never leaves open would go on for ever.
const ROUNDS: usize = 12;

/// Why no time was found.
enum Stuck {
    Obstacle(Obstacle),
    /// Rules and preferences moved it on and on.
    Restless,
}

/// Why a rail leaves nothing to charge without the payer, if it does so. An
/// unknown one is chargeable, and held to the rules of every rail it may be.
pub(super) const fn paid_by_the_payer_alone(rail: Rail) -> Option<&'static str> {
    match rail {
        Rail::Card | Rail::UpiAutopay | Rail::Emandate | Rail::BankDebit | Rail::Unknown => None,
        Rail::UpiCollect => Some("a UPI request is paid by the payer alone"),
        Rail::Netbanking => Some("a bank transfer is made by the payer alone"),
        Rail::Wallet => Some("a wallet is opened by the payer alone"),
    }
}

impl Placing<'_> {
    pub(super) fn charge(&self, mut due: Shifting) -> Result<Placed, Obstacle> {
        let failure = &self.facts.failure;
        due.not_before(
            later(failure.at, failure.cooldown())?,
            "cooldown",
            "the bank wants a pause before the next try",
        );
        let case = self.case();
        // Whoever asks for a time has chosen it over the policy's preferences.
        let wanted = match self.facts.asked_for {
            Some(_) => Vec::new(),
            None => Preference::of_charges(self.policy, self.facts),
        };
        let mut remarks = Vec::new();
        let time = match self.settle(&case, &due, &wanted) {
            Ok(time) => time,
            Err(_) => self.settle_for_less(&case, &due, &wanted, &mut remarks)?,
        };
        Ok(Placed {
            time,
            channels: Vec::new(),
            remarks,
        })
    }

    fn case(&self) -> ChargeCase<'_> {
        let facts = self.facts;
        let charges = facts.taken_of(AttemptKind::Charge).count();
        ChargeCase {
            rail: facts.rail,
            network: facts.network,
            country: facts.charged_in(),
            amount: facts.amount,
            recurring: true,
            decided_at: facts.now,
            tries: &self.tries,
            last_decline_code: facts.failure.network_decline_code.as_deref(),
            last_advice_code: facts.failure.network_advice_code.as_deref(),
            failed_at: facts.failure.at,
            recovery_charges: u32::try_from(charges).unwrap_or(u32::MAX),
            time_zone: facts.time_zone,
        }
    }

    /// The first time at which the rules allow the charge and no preference
    /// moves it: each is asked again after any other has moved it.
    fn settle(
        &self,
        case: &ChargeCase<'_>,
        due: &Shifting,
        wanted: &[Preference],
    ) -> Result<Shifting, Stuck> {
        let mut time = due.clone();
        for round in 0..ROUNDS {
            match self.pack.earliest_charge(case, time.at) {
                Ceiling::Allowed => {}
                Ceiling::NotBefore { at, rule } => time.shift(Shift {
                    from: time.at,
                    to: at,
                    rule: rule.id,
                    why: rule.words,
                    more: None,
                }),
                Ceiling::Never { rule } => {
                    return Err(Stuck::Obstacle(Obstacle::Forbidden(rule)));
                }
            }
            if time.at >= self.closes_at {
                return Err(Stuck::Obstacle(Obstacle::TooLate));
            }
            let allowed = time.at;
            for preference in wanted {
                preference.shift(self.policy, self.facts, round == 0, &mut time);
            }
            if time.at == allowed {
                return Ok(time);
            }
        }
        Err(Stuck::Restless)
    }

    /// Without the preferences that leave no time, the most important kept first.
    fn settle_for_less(
        &self,
        case: &ChargeCase<'_>,
        due: &Shifting,
        wanted: &[Preference],
        remarks: &mut Vec<Outcome>,
    ) -> Result<Shifting, Obstacle> {
        let mut settled = match self.settle(case, due, &[]) {
            Ok(time) => time,
            Err(Stuck::Obstacle(obstacle)) => return Err(obstacle),
            Err(Stuck::Restless) => return Err(Obstacle::TooLate),
        };
        let mut kept = Vec::new();
        for preference in wanted {
            kept.push(*preference);
            match self.settle(case, due, &kept) {
                Ok(time) => settled = time,
                Err(stuck) => {
                    kept.pop();
                    remarks.push(preference.yielded(stuck.why()));
                }
            }
        }
        Ok(settled)
    }
}

impl Stuck {
    const fn why(&self) -> &'static str {
        match self {
            Self::Obstacle(Obstacle::TooLate) => "it would fall past the recovery's end",
            Self::Obstacle(obstacle) => obstacle.words(),
            Self::Restless => "the rules leave no such time",
        }
    }
}

/// Why nothing may be charged, if so: the policy's field or fact, and words.
pub(super) fn no_charging(facts: &Facts) -> Option<Outcome> {
    let failure = &facts.failure;
    let refused_for_good = facts
        .taken()
        .filter_map(|attempt| attempt.decline)
        .any(|decline| decline.hardness == Hardness::Hard);
    let (rule, words) = if !facts.can_charge {
        (
            "can_charge",
            "nothing that is saved can be charged without the payer",
        )
    } else if let Some(why) = paid_by_the_payer_alone(facts.rail) {
        ("rail", why)
    } else if failure.hardness == Hardness::Hard {
        (
            "hardness",
            "the decline is for good: the same means are not charged again",
        )
    } else if !failure.charge_allowed {
        (
            "charge_allowed",
            "the failure has to be mended by the payer",
        )
    } else if refused_for_good {
        ("hardness", "an earlier charge was declined for good")
    } else {
        return None;
    };
    Some(Outcome::Skipped {
        rule: Cow::Borrowed(rule),
        words: Cow::Borrowed(words),
    })
}
