//! The next step of a recovery: a pure function of the policy, the rules and
//! the facts.
//!
//! # How a decision is made
//!
//! The policy is unrolled into moves, charges and message rounds, and those
//! taken are counted off. The first move that finds a time is the next step:
//!
//! 1. its delay after what happened last, with jitter by a fixed function of
//!    the recovery's seed and the step's number;
//! 2. waits that bind it: the bank's cooldown, a pending UPI payment, the least
//!    gap between messages;
//! 3. for a charge, the rules of networks, rails and laws ([`crate::limits`]),
//!    and the preferences of the policy by turns (pay-day, week-end, best hours)
//!    until none of them moves it;
//! 4. for a message, the policy's hours narrowed by the law's, and the week-end.
//!
//! A step that somebody asked for at a time of their own goes without the delay
//! and the preferences, and with everything else.
//!
//! A preference that would push a move past the recovery's end, or that rules
//! leave no time for, yields, the least important first; a rule never does.
//! Whatever is moved, narrowed, yielded or skipped is in the decision, in words.
//!
//! # What no policy can change
//!
//! `properties.rs` tries to break each:
//!
//! - nothing at all in a recovery that is held out;
//! - no charge after a hard decline, where the failure forbids one, or on a
//!   rail that only the payer can pay by;
//! - nothing while an attempt is under way or in doubt, or once a charge went through;
//! - nothing when the recovery's time is over, and no step due then;
//! - no charge before its cooldown, or against a rule of network, rail or law,
//!   whoever made the tries on the card;
//! - no message in quiet hours, the policy's or the law's;
//! - no step in the past or before the one before it;
//! - no more charges and message rounds than `max_retries`.

mod charge;
mod clock;
mod decision;
mod facts;
mod hours;
mod jitter;
mod message;
mod place;
mod preference;
#[cfg(test)]
mod properties;
mod record;
mod shift;
#[cfg(test)]
pub(crate) mod simulation;
#[cfg(test)]
mod tests;
mod windows;
mod words;

pub use decision::{Considered, Decision, Outcome, Plan, Step};
pub use facts::{Decline, Facts, FailureFacts, PastAttempt, seed};
pub use record::{DecisionRecord, FORMAT, ReplayError};
pub use windows::{MOST_HOURS_AHEAD, PayerHours, SuggestedWindow, suggested_windows};

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use crate::classification::Contact;
use crate::limits::RulePack;
use crate::policy::{Move, RetryPolicy};
use crate::state::{AttemptKind, AttemptState};
use place::{Obstacle, Placing};

/// When a recovery opened at `opened_at` stops: nothing is planned from then on.
pub fn closes_at(policy: &RetryPolicy, opened_at: DateTime<Utc>) -> DateTime<Utc> {
    policy.closes_at(opened_at)
}

/// The next step of a recovery under `policy` (the variant's, where there is
/// one) and the rules of `pack`, or why there is none. The same arguments give
/// the same decision for ever.
pub fn decide(policy: &RetryPolicy, pack: RulePack, facts: &Facts) -> Decision {
    let mut considered = Vec::new();
    let plan = nothing_to_decide(policy, facts)
        .unwrap_or_else(|| weigh(policy, pack, facts, &mut considered));
    Decision {
        words: plan.why().to_owned(),
        plan,
        considered,
    }
}

/// Attempts past this many end a recovery whatever the policy: a backstop
/// against a caller that cancels every step it is given.
const MOST_ATTEMPTS: usize = 60;

/// Cases in which no step is looked for.
fn nothing_to_decide(policy: &RetryPolicy, facts: &Facts) -> Option<Plan> {
    let until = policy.closes_at(facts.opened_at);
    let wait = |why: &str| {
        Some(Plan::Wait {
            until,
            why: why.to_owned(),
        })
    };
    let charged = |attempt: &PastAttempt| {
        attempt.kind == AttemptKind::Charge && attempt.state == AttemptState::Succeeded
    };
    let category = facts.failure.category;
    if facts.assignment.hold_out {
        wait(
            "Held out of the policy's experiment: watched until the recovery's end, and never acted on",
        )
    } else if facts.attempts.iter().any(charged) {
        wait("A charge went through: nothing more is tried")
    } else if facts.attempts.iter().any(|past| !past.state.is_final()) {
        wait("An attempt is under way: its outcome comes first")
    } else if until <= facts.now {
        wait("The recovery's time is over")
    } else if facts.attempts.len() >= MOST_ATTEMPTS {
        Some(Plan::GiveUp {
            why: format!("{MOST_ATTEMPTS} attempts were planned for this recovery"),
        })
    } else if facts.failure.contact == Contact::None {
        Some(Plan::GiveUp {
            why: words::because(category, words::why_no_contact(category)),
        })
    } else {
        stopped(policy, facts).map(|why| no_step(policy, facts, &why, false))
    }
}

/// Why the policy wants nothing done about these facts, if so.
fn stopped(policy: &RetryPolicy, facts: &Facts) -> Option<Cow<'static, str>> {
    let document = policy.document();
    if document.never_act_on.contains(&facts.failure.category) {
        return Some("the policy never acts on this".into());
    }
    let least = document
        .minimum_amounts
        .iter()
        .find(|least| least.currency() == facts.amount.currency())?;
    (facts.amount.minor() < least.minor())
        .then(|| format!("the policy acts on amounts from {least} on").into())
}

/// The first of the policy's moves that finds a time.
fn weigh(
    policy: &RetryPolicy,
    pack: RulePack,
    facts: &Facts,
    considered: &mut Vec<Considered>,
) -> Plan {
    let no_charging = charge::no_charging(facts);
    let moves = remaining_moves(policy, facts, no_charging.is_none());
    // Room for every move to be skipped, or for one to be moved a few times.
    considered.reserve(moves.len() + 4);
    considered.extend(no_charging.map(|outcome| Considered {
        kind: AttemptKind::Charge,
        channels: Vec::new(),
        outcome,
    }));
    let taken = facts.taken().count();
    let placing = Placing {
        policy,
        pack,
        facts,
        closes_at: policy.closes_at(facts.opened_at),
        tries: facts.all_tries(),
        taken,
        steps_in_all: taken + moves.len(),
    };
    let mut too_late = false;
    let mut last = None;
    for next in &moves {
        match placing.place(next, considered) {
            Ok(step) => return Plan::Act(step),
            Err(obstacle) => {
                too_late |= obstacle == Obstacle::TooLate;
                last = Some(obstacle);
            }
        }
    }
    let why = last.map_or("every step of the policy was taken", Obstacle::words);
    no_step(policy, facts, why, too_late)
}

/// The policy's moves less those taken, as many as `max_retries` leaves. Moves
/// are counted off by kind, since the list changes when the failure does: a
/// charge that was declined for an expired card leaves a list of messages, and
/// the charge before counts against none of them.
fn remaining_moves<'a>(policy: &'a RetryPolicy, facts: &Facts, charging: bool) -> Vec<Move<'a>> {
    let mut charges = facts.taken_of(AttemptKind::Charge).count();
    let mut messages = facts.taken_of(AttemptKind::Message).count();
    let most = usize::try_from(policy.document().max_retries).unwrap_or(usize::MAX);
    let left = most.saturating_sub(charges + messages);
    let mut moves = policy.moves(facts.failure.category, facts.rail, charging);
    moves.retain(|next| {
        let taken = match next.kind {
            AttemptKind::Charge => &mut charges,
            AttemptKind::Message => &mut messages,
        };
        let was_taken = *taken > 0;
        *taken = taken.saturating_sub(1);
        !was_taken
    });
    moves.truncate(left);
    moves
}

/// No step is left: the payer may use the link that was sent while it lives.
fn no_step(policy: &RetryPolicy, facts: &Facts, why: &str, too_late: bool) -> Plan {
    let why = words::because(facts.failure.category, why);
    let closes_at = policy.closes_at(facts.opened_at);
    match facts.written_at() {
        Some(at) => Plan::Wait {
            until: at
                .checked_add_signed(policy.link_ttl())
                .map_or(closes_at, |link_ends| link_ends.min(closes_at)),
            why,
        },
        None if too_late => Plan::Wait {
            until: closes_at,
            why,
        },
        None => Plan::GiveUp { why },
    }
}
