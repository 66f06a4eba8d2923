//! The next step of a recovery: a pure function of the policy, what happened,
//! the time and a source of randomness.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::classification::{Category, Classification, Hardness};
use crate::limits::CardNetwork;
use crate::money::Money;
use crate::policy::RetryPolicy;
use crate::state::{AttemptKind, AttemptState, Channel};

/// Why an attempt's charge was declined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decline {
    /// The category.
    pub category: Category,
    /// Whether the same means may succeed later.
    pub hardness: Hardness,
}

/// One attempt that was planned earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastAttempt {
    /// What it did.
    pub kind: AttemptKind,
    /// What became of it.
    pub state: AttemptState,
    /// When it was acted on; while that is still to come, when it is due.
    pub at: DateTime<Utc>,
    /// For a declined charge, why. A hard one forbids further charges: leave it
    /// out for means that the payer has replaced since.
    pub decline: Option<Decline>,
}

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
    /// Whether means are saved, not known to be refused for good, at a PSP that
    /// charges without the payer.
    pub can_charge: bool,
    /// The payer's time zone.
    pub time_zone: Tz,
    /// The saved card's network.
    pub network: Option<CardNetwork>,
    /// What is owed.
    pub amount: Money,
}

/// One step to take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its number within the recovery, from 1: one more than the attempts so far.
    pub number: u32,
    /// What to do.
    pub kind: AttemptKind,
    /// When: never in the past, never before the last attempt.
    pub due_at: DateTime<Utc>,
    /// Where to write; none for a charge.
    pub channels: Vec<Channel>,
    /// Why, in words that a merchant understands.
    pub why: String,
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Take this step.
    Act(Step),
    /// Nothing to do; the payer may still pay until then.
    Wait {
        /// When the payer's time is over.
        until: DateTime<Utc>,
        /// Why nothing is done.
        why: String,
    },
    /// Nothing can be done at all: the recovery ends as exhausted.
    GiveUp {
        /// Why.
        why: String,
    },
}

/// When a recovery opened at `opened_at` stops: nothing is planned from then on.
pub fn closes_at(policy: &RetryPolicy, opened_at: DateTime<Utc>) -> DateTime<Utc> {
    policy.closes_at(opened_at)
}

/// The next step of a recovery under `policy`, or why there is none.
///
/// The same arguments and a source of randomness in the same state give the
/// same plan.
pub fn next(
    policy: &RetryPolicy,
    history: &History<'_>,
    now: DateTime<Utc>,
    rng: &mut (impl rand::Rng + ?Sized),
) -> Plan {
    let _ = (history, now, rng.next_u32());
    Plan::Wait {
        until: closes_at(policy, history.opened_at),
        why: "Nothing to do".to_owned(),
    }
}
