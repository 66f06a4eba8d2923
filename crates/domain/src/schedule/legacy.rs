//! The planner as it was asked before [`super::decide`]; it goes once the
//! worker has moved over.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use rand::Rng;

use super::{Facts, FailureFacts, PastAttempt, Plan, decide};
use crate::classification::{Classification, FailureSource, Signals};
use crate::experiment::Assignment;
use crate::limits::{CardNetwork, Rail, RulePack};
use crate::money::Money;
use crate::policy::RetryPolicy;
use crate::state::Channel;

/// What a plan is made from.
#[derive(Debug, Clone, Copy)]
pub struct History<'a> {
    /// When the recovery opened.
    pub opened_at: DateTime<Utc>,
    /// When the latest failure happened.
    pub failed_at: DateTime<Utc>,
    /// What follows from the latest failure.
    pub classification: &'a Classification,
    /// Every attempt of the recovery so far, in the order they were planned.
    pub attempts: &'a [PastAttempt],
    /// Channels with an address, consent and no suppression.
    pub reachable: &'a [Channel],
    /// Whether means are saved that can be charged without the payer.
    pub can_charge: bool,
    /// The payer's time zone.
    pub time_zone: Tz,
    /// The saved card's network.
    pub network: Option<CardNetwork>,
    /// What is owed.
    pub amount: Money,
}

/// The next step of a recovery under `policy`, or why there is none, by the
/// rules that were known before they were dated.
pub fn next(
    policy: &RetryPolicy,
    history: &History<'_>,
    now: DateTime<Utc>,
    rng: &mut (impl Rng + ?Sized),
) -> Plan {
    let signals = Signals::new(FailureSource::Api);
    let facts = Facts {
        now,
        opened_at: history.opened_at,
        seed: rng.next_u64(),
        assignment: Assignment::default(),
        failure: FailureFacts::new(history.failed_at, &signals, history.classification),
        attempts: history.attempts.to_vec(),
        reachable: history.reachable.to_vec(),
        can_charge: history.can_charge,
        rail: Rail::Card,
        network: history.network,
        card_country: None,
        country: None,
        time_zone: history.time_zone,
        amount: history.amount,
        tries: Vec::new(),
    };
    let undated = RulePack::all().first().copied();
    decide(policy, undated.unwrap_or(RulePack::current()), &facts).plan
}
