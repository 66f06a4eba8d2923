//! Random policies, failures and clocks, and whole recoveries played through them.

mod policies;
mod worlds;

pub(crate) use policies::any_policy;
pub(crate) use worlds::{World, any_world};

use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{Decision, Decline, Facts, PastAttempt, Plan, Step, decide};
use crate::limits::{CardTry, RulePack, TriedBy, TryOutcome};
use crate::policy::RetryPolicy;
use crate::state::{AttemptKind, AttemptState};

/// A step with all that it was planned from.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub(super) facts: Facts,
    pub(super) step: Step,
    pub(super) decision: Decision,
}

/// A recovery that was played to its end.
#[derive(Debug)]
pub(super) struct Played {
    /// The policy that was followed: the variant's.
    pub(super) policy: RetryPolicy,
    pub(super) steps: Vec<Planned>,
    pub(super) last_facts: Facts,
    pub(super) end: Decision,
}

impl World {
    /// What its first decision is made from, and under what.
    pub(crate) fn opening(&self) -> (RetryPolicy, RulePack, Facts) {
        let arm = self.facts.assignment.variant.as_ref();
        let followed = self.policy.of_variant(arm).unwrap();
        (followed, self.pack, self.facts.clone())
    }

    /// Plays the recovery to its end, and gives every step with what it was
    /// planned from. Every charge is declined; every act and every plan is late
    /// by chance; at times the payer fails with means of their own, or the PSP
    /// tries the card by itself.
    pub(super) fn play(&self) -> Played {
        let mut rng = StdRng::seed_from_u64(self.facts.seed);
        let policy = self
            .policy
            .of_variant(self.facts.assignment.variant.as_ref())
            .unwrap();
        let mut facts = self.facts.clone();
        let mut failures = self.failures.iter().cycle();
        let mut steps = Vec::new();
        loop {
            facts.now += TimeDelta::seconds(late(&mut rng));
            if rng.random_bool(0.1) {
                facts.try_card(facts.now, TriedBy::Psp);
            }
            let decision = decide(&policy, self.pack, &facts);
            let Plan::Act(step) = decision.plan.clone() else {
                return Played {
                    policy,
                    steps,
                    last_facts: facts,
                    end: decision,
                };
            };
            steps.push(Planned {
                facts: facts.clone(),
                step: step.clone(),
                decision,
            });
            facts.now = step.due_at + TimeDelta::seconds(late(&mut rng));
            let charge = step.kind == AttemptKind::Charge;
            if charge || rng.random_bool(0.3) {
                let by = if charge { TriedBy::Us } else { TriedBy::Payer };
                facts.try_card(facts.now, by);
                facts.failure = failures.next().unwrap().clone();
                facts.failure.at = facts.now;
            }
            facts.attempts.push(facts.acted(step.kind));
            assert!(steps.len() <= 20, "a recovery that does not end");
        }
    }
}

impl Facts {
    fn try_card(&mut self, at: DateTime<Utc>, by: TriedBy) {
        self.tries.push(CardTry {
            at,
            by,
            outcome: TryOutcome::Declined,
            amount: self.amount,
        });
    }

    /// What became of a step that was acted on now.
    fn acted(&self, kind: AttemptKind) -> PastAttempt {
        let charge = kind == AttemptKind::Charge;
        PastAttempt {
            kind,
            state: if charge {
                AttemptState::Declined
            } else {
                AttemptState::Succeeded
            },
            at: self.now,
            decline: charge.then_some(Decline {
                category: self.failure.category,
                hardness: self.failure.hardness,
            }),
        }
    }
}

/// Seconds of lateness: mostly a few, at times hours.
fn late(rng: &mut StdRng) -> i64 {
    let most = if rng.random_bool(0.2) { 20_000 } else { 20 };
    rng.random_range(0..most)
}
