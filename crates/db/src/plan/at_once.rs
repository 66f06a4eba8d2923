//! A message whose time has come as it is planned: it is taken in the transaction that
//! plans it, and nobody has to find and claim it.

use domain::AttemptKind;
use domain::id::AttemptId;
use domain::schedule::{Decision, Facts, Plan, Step};

use super::{Followed, keep, tell};
use crate::recoveries::StoredRecovery;
use crate::{Conn, DbError, Tx, attempts, holds, underway};

/// The step that is decided on, if it is a message whose time has come.
pub fn due_message<'a>(decision: &'a Decision, facts: &Facts) -> Option<&'a Step> {
    let Plan::Act(step) = &decision.plan else {
        return None;
    };
    let is_due = step.kind == AttemptKind::Message && step.due_at <= facts.now;
    is_due.then_some(step)
}

/// Puts a step into rows that this transaction takes: the attempt has succeeded, by
/// these `words`. None, and nothing changes, if that step was planned before, or
/// something keeps it from being taken now: an operator has paused the organization, or
/// a payment is on its way.
pub async fn take(
    tx: &mut Tx,
    recovery: &StoredRecovery,
    followed: &Followed,
    (facts, decision): (&Facts, &Decision),
    step: &Step,
    words: &str,
) -> Result<Option<AttemptId>, DbError> {
    let (tenant, now) = (recovery.tenant, tx.now());
    let conn: &Conn = tx.conn();
    let (is_held, rests) = tokio::try_join!(
        holds::covers(conn, tenant),
        underway::rests_until(conn, tenant, recovery.id, now),
    )?;
    if is_held || rests.is_some() {
        return Ok(None);
    }
    let attempt = attempts::take(tx, tenant, recovery.id, step, words).await?;
    if let Some(attempt) = attempt {
        tell(tx, recovery, step, attempt);
        let (facts, decision) = (facts.clone(), decision.clone());
        keep(tx, recovery, followed, facts, decision, Some(attempt))?;
    }
    Ok(attempt)
}
