//! A message whose time has come as it is planned: it is taken in the transaction that
//! plans it, and nobody has to find and claim it.

use domain::AttemptKind;
use domain::id::AttemptId;
use domain::schedule::{Decision, Facts, Plan, Step};

use super::{Followed, Planned, give_up, keep, tell, waits};
use crate::attempts::{Take, Taken};
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

/// A decision, and what it was made from.
#[derive(Debug)]
pub struct Decided {
    /// What it was made from.
    pub facts: Facts,
    /// The decision.
    pub decision: Decision,
}

/// Puts a step into rows that this transaction takes: the attempt has succeeded, by
/// these `words`. What is decided to be done `after` it goes into the same rows, and is
/// told and kept by [`put_after`]. None, and nothing changes, if that step was planned
/// before, or something keeps it from being taken now: an operator has paused the
/// organization, or a payment is on its way.
pub async fn take(
    tx: &mut Tx,
    recovery: &StoredRecovery,
    followed: &Followed,
    (facts, decision): (&Facts, &Decision),
    (step, words): (&Step, &str),
    after: &Decided,
) -> Result<Option<Taken>, DbError> {
    let (tenant, now) = (recovery.tenant, tx.now());
    let conn: &Conn = tx.conn();
    let (is_held, rests) = tokio::try_join!(
        holds::covers(conn, tenant),
        underway::rests_until(conn, tenant, recovery.id, now),
    )?;
    if is_held || rests.is_some() {
        return Ok(None);
    }
    let after = &after.decision.plan;
    let take = Take { step, words, after };
    let taken = attempts::take(tx, tenant, recovery.id, take).await?;
    if let Some(taken) = &taken {
        tell(tx, recovery, step, taken.attempt);
        let (facts, decision) = (facts.clone(), decision.clone());
        keep(tx, recovery, followed, facts, decision, Some(taken.attempt))?;
    }
    Ok(taken)
}

/// Tells and keeps what comes `after` a step that [`take`] took, of which `next` is the
/// attempt if it is one.
pub async fn put_after(
    tx: &mut Tx,
    recovery: &StoredRecovery,
    followed: &Followed,
    after: Decided,
    next: Option<AttemptId>,
) -> Result<Planned, DbError> {
    let Decided { facts, decision } = after;
    match (&decision.plan, next) {
        (Plan::Act(step), Some(attempt)) => tell(tx, recovery, step, attempt),
        (Plan::Act(_), None) => {}
        (Plan::Wait { until, why }, _) => waits(tx, recovery, *until, why),
        (Plan::GiveUp { why }, _) => give_up(tx, recovery, followed, why).await?,
    }
    keep(tx, recovery, followed, facts, decision, next)?;
    Ok(next.map_or(Planned::Nothing, |_| Planned::Scheduled))
}
