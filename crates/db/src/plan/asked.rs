//! The next step at a time that somebody asked for.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use domain::AttemptState;
use domain::id::AttemptId;
use domain::schedule::{Decision, Facts, Outcome, PastAttempt, Plan, Step};
use serde_json::json;

use super::{Followed, decide, followed, keep, schedule};
use crate::attempts::StoredAttempt;
use crate::facts::Charges;
use crate::recoveries::StoredRecovery;
use crate::{DbError, Tx, attempts, facts, timeline};

/// What came of asking.
#[derive(Debug, Clone)]
pub enum Asked {
    /// The step is planned for the earliest time from the one asked for on that
    /// the rules allow.
    Planned {
        /// The attempt.
        attempt: AttemptId,
        /// The step.
        step: Step,
        /// What makes it later than asked for, if anything.
        waits: Vec<Waits>,
    },
    /// An attempt is being made, or is in doubt: its outcome comes first.
    UnderWay,
    /// No step can be taken: why, in words.
    Nothing(String),
}

/// What makes a step later than it was asked for.
#[derive(Debug, Clone)]
pub struct Waits {
    /// The rule's name, or the policy's field.
    pub rule: Cow<'static, str>,
    /// Until when.
    pub until: DateTime<Utc>,
    /// Why, in words.
    pub words: Cow<'static, str>,
}

/// Plans the recovery's next step for `at`, or as soon after it as the rules
/// allow; a step that was planned already is moved there. The recovery is open,
/// not paused, and locked. Where no step can be taken, nothing changes.
///
/// The attempt that waits is locked before the decision is made: a worker either
/// has claimed it by then, or passes it over until this commits.
pub async fn ask(
    tx: &mut Tx,
    recovery: &StoredRecovery,
    charges: Charges,
    at: DateTime<Utc>,
) -> Result<Asked, DbError> {
    let tenant = recovery.tenant;
    let known = attempts::of_recovery(tx.conn(), tenant, recovery.id).await?;
    let waiting = known.iter().find(|it| it.state == AttemptState::Scheduled);
    if known.iter().any(is_under_way) {
        return Ok(Asked::UnderWay);
    }
    if let Some(waiting) = waiting
        && !attempts::hold(tx, tenant, waiting.id).await?
    {
        return Ok(Asked::UnderWay);
    }
    let Some(matter) = facts::matter(tx.conn(), recovery).await? else {
        return Ok(Asked::Nothing("what it is about is not known".to_owned()));
    };
    let now = tx.now();
    let read = facts::of_matter(tx.conn(), now, recovery, matter, &known, charges).await?;
    let mut facts = read.facts;
    facts.asked_for = Some(at);
    // The step that waits is the one that is decided about.
    facts.attempts.retain(|past| past.state.is_final());
    let followed = followed(tx.conn(), recovery).await?;
    let decision = decide(&followed, &facts);
    let Plan::Act(step) = &decision.plan else {
        return Ok(Asked::Nothing(decision.words));
    };
    if step.due_at >= recovery.closes_at {
        let why = "the recovery would be over before the step could be taken";
        return Ok(Asked::Nothing(why.to_owned()));
    }
    match waiting.filter(|waiting| waiting.kind != step.kind) {
        Some(other) => instead(tx, recovery, &followed, facts, other).await,
        None => put(tx, recovery, &followed, facts, decision, waiting).await,
    }
}

const fn is_under_way(attempt: &StoredAttempt) -> bool {
    matches!(attempt.state, AttemptState::Claimed | AttemptState::InDoubt)
}

/// The step that waits is of another kind than the one to take: its id is the
/// idempotency key of a charge, and is not given to anything else.
async fn instead(
    tx: &mut Tx,
    recovery: &StoredRecovery,
    followed: &Followed,
    mut facts: Facts,
    waiting: &StoredAttempt,
) -> Result<Asked, DbError> {
    let why = "another step was asked for";
    attempts::cancel_scheduled(tx, recovery.tenant, recovery.id, None, why).await?;
    facts.attempts.push(PastAttempt {
        kind: waiting.kind,
        state: AttemptState::Cancelled,
        at: tx.now(),
        decline: None,
    });
    let decision = decide(followed, &facts);
    put(tx, recovery, followed, facts, decision, None).await
}

async fn put(
    tx: &mut Tx,
    recovery: &StoredRecovery,
    followed: &Followed,
    facts: Facts,
    decision: Decision,
    waiting: Option<&StoredAttempt>,
) -> Result<Asked, DbError> {
    let Plan::Act(step) = decision.plan.clone() else {
        return Ok(Asked::Nothing(decision.words));
    };
    let waits = waits(&decision, &step);
    let attempt = match waiting {
        Some(waiting) => {
            attempts::reschedule(tx, recovery.tenant, waiting.id, &step).await?;
            let detail = json!({
                "attempt_id": waiting.id,
                "number": waiting.number,
                "kind": step.kind,
                "due_at": step.due_at,
                "was_due_at": waiting.due_at,
                "channels": step.channels,
            });
            let kind = "attempt.rescheduled";
            timeline::add(tx, recovery.tenant, recovery.id, kind, &step.why, detail);
            Some(waiting.id)
        }
        None => schedule(tx, recovery, &step).await?,
    };
    let Some(attempt) = attempt else {
        return Ok(Asked::UnderWay);
    };
    keep(tx, recovery, followed, facts, decision, Some(attempt))?;
    Ok(Asked::Planned {
        attempt,
        step,
        waits,
    })
}

/// What moved the step that is taken.
fn waits(decision: &Decision, step: &Step) -> Vec<Waits> {
    let of_step = decision
        .considered
        .iter()
        .filter(|weighed| weighed.kind == step.kind && weighed.channels == step.channels);
    of_step
        .filter_map(|weighed| match &weighed.outcome {
            Outcome::Moved {
                to, rule, words, ..
            } => Some(Waits {
                rule: rule.clone(),
                until: *to,
                words: words.clone(),
            }),
            _ => None,
        })
        .collect()
}
