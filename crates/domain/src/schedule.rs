//! The next step of a recovery: a pure function of the policy, what happened,
//! the time and a source of randomness.
//!
//! What no policy can change, and `properties.rs` tries to break:
//!
//! - no charge after a hard decline, or where the failure forbids one;
//! - nothing while an attempt is under way or in doubt, or once a charge went through;
//! - nothing when the recovery's time is over, and no step due then;
//! - no charge before its cooldown, or past a network's ceiling;
//! - no SMS or WhatsApp message in the payer's quiet hours, where the policy keeps them;
//! - no step in the past or before the one before it;
//! - no more charges and message rounds than `max_retries`.

mod place;
#[cfg(test)]
mod properties;
mod quiet;
#[cfg(test)]
pub(crate) mod simulation;
#[cfg(test)]
mod tests;
mod words;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use rand::Rng;

use crate::classification::{Category, Classification, Contact, Hardness};
use crate::limits::CardNetwork;
use crate::money::Money;
use crate::policy::{Move, RetryPolicy};
use crate::state::{AttemptKind, AttemptState, Channel};
use place::{Obstacle, Placing};

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
    /// What became of it. A cancelled one used up no step: its reason, such as
    /// an address that was suppressed, has to show in the rest of the history.
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
    /// What follows from the latest failure of the saved means. When the payer
    /// meanwhile failed with other means, that failure's; then [`Self::can_charge`]
    /// has to answer for the saved ones.
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
    rng: &mut (impl Rng + ?Sized),
) -> Plan {
    let closes_at = policy.closes_at(history.opened_at);
    if let Some(plan) = nothing_to_decide(history, now, closes_at) {
        return plan;
    }
    let moves = remaining_moves(policy, history);
    let placing = Placing {
        policy,
        history,
        now,
        closes_at,
        steps_in_all: taken(history).count() + moves.len(),
    };
    let mut obstacles = Vec::new();
    for next in &moves {
        match placing.place(next, rng) {
            Ok(step) => return Plan::Act(step),
            Err(obstacle) => obstacles.push(obstacle),
        }
    }
    no_step(policy, history, closes_at, &obstacles)
}

/// Attempts past this many end a recovery whatever the policy: a backstop
/// against a caller that cancels every step it is given.
const MOST_ATTEMPTS: usize = 60;

/// Cases in which no policy is asked.
fn nothing_to_decide(
    history: &History<'_>,
    now: DateTime<Utc>,
    closes_at: DateTime<Utc>,
) -> Option<Plan> {
    let wait = |why: &str| {
        Some(Plan::Wait {
            until: closes_at,
            why: why.to_owned(),
        })
    };
    let charged = |attempt: &PastAttempt| {
        attempt.kind == AttemptKind::Charge && attempt.state == AttemptState::Succeeded
    };
    if history.attempts.iter().any(charged) {
        wait("A charge went through: nothing more is tried")
    } else if history.attempts.iter().any(|past| !past.state.is_final()) {
        wait("An attempt is under way: its outcome comes first")
    } else if closes_at <= now {
        wait("The recovery's time is over")
    } else if history.attempts.len() >= MOST_ATTEMPTS {
        Some(Plan::GiveUp {
            why: format!("{MOST_ATTEMPTS} attempts were planned for this recovery"),
        })
    } else if history.classification.contact == Contact::None {
        Some(Plan::GiveUp {
            why: words::why_no_contact(history.classification.category),
        })
    } else {
        None
    }
}

/// Attempts that used up a step.
fn taken<'a>(history: &History<'a>) -> impl Iterator<Item = &'a PastAttempt> {
    history
        .attempts
        .iter()
        .filter(|attempt| attempt.state != AttemptState::Cancelled)
}

/// Whether the saved means may be charged at all.
fn charging(history: &History<'_>) -> bool {
    let classification = history.classification;
    let refused_for_good = taken(history)
        .filter_map(|attempt| attempt.decline)
        .any(|decline| decline.hardness == Hardness::Hard);
    history.can_charge
        && classification.charge_allowed
        && classification.hardness == Hardness::Soft
        && !refused_for_good
}

/// The policy's moves less those taken, as many as `max_retries` leaves. Moves
/// are counted off by kind, since the list changes when the failure does: a
/// charge that was declined for an expired card leaves a list of messages, and
/// the charge before counts against none of them.
fn remaining_moves(policy: &RetryPolicy, history: &History<'_>) -> Vec<Move> {
    let count = |kind| taken(history).filter(|past| past.kind == kind).count();
    let mut charges = count(AttemptKind::Charge);
    let mut messages = count(AttemptKind::Message);
    let most = usize::try_from(policy.document().max_retries).unwrap_or(usize::MAX);
    let left = most.saturating_sub(charges + messages);
    policy
        .moves(history.classification.category, charging(history))
        .into_iter()
        .filter(|next| {
            let taken = match next.kind {
                AttemptKind::Charge => &mut charges,
                AttemptKind::Message => &mut messages,
            };
            let was_taken = *taken > 0;
            *taken = taken.saturating_sub(1);
            !was_taken
        })
        .take(left)
        .collect()
}

/// No step is left: the payer may use the link that was sent while it lives.
fn no_step(
    policy: &RetryPolicy,
    history: &History<'_>,
    closes_at: DateTime<Utc>,
    obstacles: &[Obstacle],
) -> Plan {
    let why = words::why_no_step(history.classification.category, obstacles);
    let written = taken(history)
        .filter(|attempt| attempt.kind == AttemptKind::Message)
        .map(|attempt| attempt.at)
        .max();
    match written {
        Some(at) => Plan::Wait {
            until: at
                .checked_add_signed(policy.link_ttl())
                .map_or(closes_at, |link_ends| link_ends.min(closes_at)),
            why,
        },
        None if obstacles.contains(&Obstacle::TooLate) => Plan::Wait {
            until: closes_at,
            why,
        },
        None => Plan::GiveUp { why },
    }
}
