//! The next step of a recovery, put into rows.
//!
//! What to do is decided by `domain::schedule::decide`, a pure function. Here its
//! inputs are read, and its answer is written together with the record that it
//! can be derived from again, in the caller's transaction, which holds the
//! recovery's row lock.

mod asked;
mod followed;

use domain::RecoveryState;
use domain::id::AttemptId;
use domain::limits::RulePack;
use domain::schedule::{self, Decision, DecisionRecord, Facts, Plan, Step};
use serde_json::json;

pub use asked::{Asked, Waits, ask};
pub use followed::{Followed, followed};

use crate::attempts::NewAttempt;
use crate::decisions::NewDecision;
use crate::facts::Charges;
use crate::recoveries::StoredRecovery;
use crate::{DbError, Tx, attempts, decisions, ending, facts, recoveries, timeline};

/// What planning did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planned {
    /// A step was scheduled.
    Scheduled,
    /// Nothing is left to do but wait for the payer, or the recovery ended.
    Nothing,
}

/// Plans the recovery's next step; nothing while it is paused. The recovery is
/// open, locked, and has no attempt that is not final.
pub async fn next(
    tx: &mut Tx,
    recovery: &StoredRecovery,
    charges: Charges,
) -> Result<Planned, DbError> {
    let followed = followed(tx, recovery).await?;
    next_by(tx, recovery, &followed, charges).await
}

/// As [`next`], by the policy that the caller has read already.
pub async fn next_by(
    tx: &mut Tx,
    recovery: &StoredRecovery,
    followed: &Followed,
    charges: Charges,
) -> Result<Planned, DbError> {
    if recovery.paused_at.is_some() {
        return Ok(Planned::Nothing);
    }
    let Some(facts) = facts::of_recovery(tx, recovery, charges).await? else {
        return Ok(Planned::Nothing);
    };
    let pack = RulePack::current();
    let decision = schedule::decide(&followed.policy, pack, &facts);
    let attempt = carry_out(tx, recovery, followed, &decision.plan).await?;
    keep(tx, recovery, followed, pack, facts, decision, attempt).await?;
    Ok(attempt.map_or(Planned::Nothing, |_| Planned::Scheduled))
}

/// Puts a plan into rows; answers the attempt that it made.
async fn carry_out(
    tx: &mut Tx,
    recovery: &StoredRecovery,
    followed: &Followed,
    plan: &Plan,
) -> Result<Option<AttemptId>, DbError> {
    let tenant = recovery.tenant;
    match plan {
        Plan::Act(step) => schedule(tx, recovery, step).await,
        Plan::Wait { until, why } => {
            recoveries::finish_plan(tx, tenant, recovery.id, *until).await?;
            let detail = json!({ "until": until });
            timeline::add(tx, tenant, recovery.id, "recovery.waiting", why, detail).await?;
            Ok(None)
        }
        Plan::GiveUp { why } => {
            let asked = followed.policy.document().final_action;
            let exhausted = RecoveryState::Exhausted;
            ending::ended_asking(tx, tenant, recovery.id, exhausted, why, asked).await?;
            Ok(None)
        }
    }
}

async fn schedule(
    tx: &mut Tx,
    recovery: &StoredRecovery,
    step: &Step,
) -> Result<Option<AttemptId>, DbError> {
    let new = NewAttempt {
        number: step.number,
        kind: step.kind,
        channels: &step.channels,
        why: &step.why,
        due_at: step.due_at,
    };
    let Some(attempt) = attempts::schedule(tx, recovery.tenant, recovery.id, &new).await? else {
        return Ok(None);
    };
    let detail = json!({
        "attempt_id": attempt,
        "number": step.number,
        "kind": step.kind,
        "due_at": step.due_at,
        "channels": step.channels,
    });
    timeline::add(
        tx,
        recovery.tenant,
        recovery.id,
        "attempt.scheduled",
        &step.why,
        detail,
    )
    .await?;
    Ok(Some(attempt))
}

/// Keeps the decision with all that it was made from.
async fn keep(
    tx: &mut Tx,
    recovery: &StoredRecovery,
    followed: &Followed,
    pack: RulePack,
    facts: Facts,
    decision: Decision,
    attempt: Option<AttemptId>,
) -> Result<(), DbError> {
    let outcome = decision.plan.outcome();
    let words = decision.words.clone();
    let record = DecisionRecord::new(&followed.policy, pack, facts, decision);
    let record = serde_json::to_value(&record).map_err(|fault| DbError::Corrupt {
        what: "a decision's record",
        fault: fault.to_string(),
    })?;
    let new = NewDecision {
        attempt,
        outcome,
        policy: followed.version,
        variant: recovery.assigned.variant(),
        rule_pack: pack.id(),
        words: &words,
        record: &record,
    };
    decisions::add(tx, recovery.tenant, recovery.id, &new).await?;
    Ok(())
}
