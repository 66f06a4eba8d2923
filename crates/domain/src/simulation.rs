//! A recovery played ahead: what a policy would do if nothing helped.
//!
//! Every charge is declined for the reason of the failure, every message goes
//! out, and the payer never pays: so what is counted is the most that a policy
//! would do, and the most that a card's budget would bear.

mod forecast;
#[cfg(test)]
mod tests;

pub use forecast::{Budget, Charges, Forecast, budgets};

use serde::Serialize;

use crate::limits::{CardTry, RulePack, TriedBy, TryOutcome};
use crate::policy::RetryPolicy;
use crate::schedule::{Considered, Decline, Facts, Outcome, PastAttempt, Plan, Step, decide};
use crate::state::{AttemptKind, AttemptState};

/// More steps than any policy gives.
const MOST_STEPS: usize = 100;

/// A recovery that was played to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    /// Its steps, in order.
    pub steps: Vec<PlayedStep>,
    /// What came after the last: to wait for the payer, or to give up.
    pub end: Plan,
    /// What was weighed for the end.
    pub considered: Vec<Considered>,
    /// Every try on the card by then, those that the steps made among them.
    pub tries: Vec<CardTry>,
}

/// A step with all that was weighed for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayedStep {
    /// The step.
    pub step: Step,
    /// What was weighed.
    pub considered: Vec<Considered>,
}

/// What a rule did to a plan that asked for more than it allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// A step falls later than the policy asks.
    Moved,
    /// A step goes without some of its channels.
    Narrowed,
    /// A step is not made at all.
    Skipped,
}

/// Plays the recovery that `facts` describe, from their `now` on.
///
/// The same arguments give the same answer.
pub fn play(policy: &RetryPolicy, pack: RulePack, facts: Facts) -> Played {
    let mut facts = facts;
    let mut steps = Vec::new();
    loop {
        let decision = decide(policy, pack, &facts);
        match decision.plan {
            Plan::Act(step) if steps.len() < MOST_STEPS => {
                act(&mut facts, &step);
                steps.push(PlayedStep {
                    step,
                    considered: decision.considered,
                });
            }
            end => {
                return Played {
                    steps,
                    end,
                    considered: decision.considered,
                    tries: facts.tries,
                };
            }
        }
    }
}

/// The step is taken when it is due, and nothing comes of it.
fn act(facts: &mut Facts, step: &Step) {
    let at = step.due_at;
    facts.now = at;
    let charged = step.kind == AttemptKind::Charge;
    let failure = &mut facts.failure;
    facts.attempts.push(PastAttempt {
        kind: step.kind,
        state: if charged {
            AttemptState::Declined
        } else {
            AttemptState::Succeeded
        },
        at,
        decline: charged.then_some(Decline {
            category: failure.category,
            hardness: failure.hardness,
        }),
    });
    if charged {
        failure.at = at;
        facts.tries.push(CardTry {
            at,
            by: TriedBy::Us,
            outcome: TryOutcome::Declined,
            amount: facts.amount,
        });
    }
}

impl Played {
    /// What the rules of `pack` kept the policy from, in order: the rule's name
    /// and what it did. What the policy itself moved is not among them.
    pub fn bound_by(&self, pack: RulePack) -> impl Iterator<Item = (&str, Effect)> {
        let weighed = self.steps.iter().flat_map(|step| &step.considered);
        weighed
            .chain(&self.considered)
            .filter_map(effect)
            .filter(move |(rule, _)| pack.rule(rule).is_some())
    }
}

fn effect(considered: &Considered) -> Option<(&str, Effect)> {
    match &considered.outcome {
        Outcome::Moved { rule, .. } => Some((rule, Effect::Moved)),
        Outcome::Narrowed { rule, .. } => Some((rule, Effect::Narrowed)),
        Outcome::Skipped { rule, .. } => Some((rule, Effect::Skipped)),
        Outcome::Taken { .. } | Outcome::Yielded { .. } => None,
    }
}
