//! The next step of a recovery, put into rows.
//!
//! What to do is decided by `domain::schedule::decide`, a pure function. Here its
//! inputs are read, and its answer is written together with the record that it
//! can be derived from again, in the caller's transaction, which holds the
//! recovery's row lock.

mod asked;
mod at_once;
mod followed;

use chrono::{DateTime, Utc};
use domain::RecoveryState;
use domain::id::AttemptId;
use domain::limits::RulePack;
use domain::schedule::{self, Decision, DecisionRecord, Facts, Plan, Step};
use serde_json::json;

pub use asked::{Asked, Waits, ask};
pub use at_once::{Decided, due_message, put_after, take};
pub use followed::{Followed, followed};

use crate::attempts::StoredAttempt;
use crate::decisions::NewDecision;
use crate::facts::{Charges, Matter};
use crate::recoveries::StoredRecovery;
use crate::{Conn, DbError, Tx, attempts, decisions, ending, facts, recoveries, timeline};

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
    let so_far = so_far(tx.conn(), recovery).await?;
    let Some(matter) = so_far.matter else {
        return Ok(Planned::Nothing);
    };
    let now = tx.now();
    let read = facts::of_matter(tx.conn(), now, recovery, matter, &so_far.past, charges).await?;
    next_from(tx, recovery, &so_far.followed, read.facts).await
}

/// How it stands with a recovery.
pub struct SoFar {
    /// The policy that it follows.
    pub followed: Followed,
    /// Its attempts so far.
    pub past: Vec<StoredAttempt>,
    /// What it is about; none if that is not there to read.
    pub matter: Option<Matter>,
}

/// Reads how it stands with a recovery.
pub async fn so_far(conn: &Conn, recovery: &StoredRecovery) -> Result<SoFar, DbError> {
    let (followed, past, matter) = tokio::try_join!(
        followed(conn, recovery),
        attempts::of_recovery(conn, recovery.tenant, recovery.id),
        facts::matter(conn, recovery),
    )?;
    Ok(SoFar {
        followed,
        past,
        matter,
    })
}

/// As [`next`], from what the caller has read already.
pub async fn next_from(
    tx: &mut Tx,
    recovery: &StoredRecovery,
    followed: &Followed,
    facts: Facts,
) -> Result<Planned, DbError> {
    let decision = decide(followed, &facts);
    put(tx, recovery, followed, facts, decision).await
}

/// Which step the policy and the rules of today make of the facts.
pub fn decide(followed: &Followed, facts: &Facts) -> Decision {
    schedule::decide(&followed.policy, RulePack::current(), facts)
}

/// Puts a decision into rows; nothing while the recovery is paused.
pub async fn put(
    tx: &mut Tx,
    recovery: &StoredRecovery,
    followed: &Followed,
    facts: Facts,
    decision: Decision,
) -> Result<Planned, DbError> {
    if recovery.paused_at.is_some() {
        return Ok(Planned::Nothing);
    }
    let attempt = carry_out(tx, recovery, followed, &decision.plan).await?;
    keep(tx, recovery, followed, facts, decision, attempt)?;
    Ok(attempt.map_or(Planned::Nothing, |_| Planned::Scheduled))
}

/// Puts a plan into rows; answers the attempt that it made.
async fn carry_out(
    tx: &mut Tx,
    recovery: &StoredRecovery,
    followed: &Followed,
    plan: &Plan,
) -> Result<Option<AttemptId>, DbError> {
    match plan {
        Plan::Act(step) => schedule(tx, recovery, step).await,
        Plan::Wait { until, why } => {
            recoveries::finish_plan(tx, recovery.tenant, recovery.id, *until).await?;
            waits(tx, recovery, *until, why);
            Ok(None)
        }
        Plan::GiveUp { why } => {
            give_up(tx, recovery, followed, why).await?;
            Ok(None)
        }
    }
}

async fn schedule(
    tx: &mut Tx,
    recovery: &StoredRecovery,
    step: &Step,
) -> Result<Option<AttemptId>, DbError> {
    let attempt = attempts::schedule(tx, recovery.tenant, recovery.id, step).await?;
    if let Some(attempt) = attempt {
        tell(tx, recovery, step, attempt);
    }
    Ok(attempt)
}

fn waits(tx: &mut Tx, recovery: &StoredRecovery, until: DateTime<Utc>, why: &str) {
    let detail = json!({ "until": until });
    let (tenant, id) = (recovery.tenant, recovery.id);
    timeline::add(tx, tenant, id, "recovery.waiting", why, detail);
}

async fn give_up(
    tx: &mut Tx,
    recovery: &StoredRecovery,
    followed: &Followed,
    why: &str,
) -> Result<(), DbError> {
    let asked = followed.policy.document().final_action;
    let exhausted = RecoveryState::Exhausted;
    ending::ended_asking(tx, recovery.tenant, recovery.id, exhausted, why, asked).await?;
    Ok(())
}

fn tell(tx: &mut Tx, recovery: &StoredRecovery, step: &Step, attempt: AttemptId) {
    let detail = json!({
        "attempt_id": attempt,
        "number": step.number,
        "kind": step.kind,
        "due_at": step.due_at,
        "channels": step.channels,
    });
    let (tenant, id) = (recovery.tenant, recovery.id);
    timeline::add(tx, tenant, id, "attempt.scheduled", &step.why, detail);
}

/// Keeps the decision with all that it was made from.
fn keep(
    tx: &mut Tx,
    recovery: &StoredRecovery,
    followed: &Followed,
    facts: Facts,
    decision: Decision,
    attempt: Option<AttemptId>,
) -> Result<(), DbError> {
    let pack = RulePack::current();
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
        variant: recovery.assigned.variant().map(ToOwned::to_owned),
        rule_pack: pack.id(),
        words,
        record,
    };
    decisions::add(tx, recovery.tenant, recovery.id, new);
    Ok(())
}
