//! New attempts: steps that are scheduled, and those that are taken as they are planned.

use diesel::sql_types::{Array, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::AttemptState;
use domain::id::{Attempt, AttemptId, RecoveryId};
use domain::schedule::{Plan, Step};

use crate::recoveries::{self, Progress};
use crate::sql::sql;
use crate::{DbError, Tenant, Tx};

/// Schedules the recovery's next step. None if that step was planned before: the
/// recovery's counter moves by one under a guard.
pub async fn schedule(
    tx: &mut Tx,
    tenant: Tenant,
    recovery: RecoveryId,
    step: &Step,
) -> Result<Option<AttemptId>, DbError> {
    let progress = Progress {
        from: number(step)? - 1,
        to: number(step)?,
        closes_at: None,
    };
    if !recoveries::progress(tx, tenant, recovery, progress).await? {
        return Ok(None);
    }
    let attempt = add(tx, tenant, recovery, step, None).await?;
    Ok(Some(attempt))
}

/// A step that a transaction takes as it plans it.
#[derive(Debug, Clone, Copy)]
pub struct Take<'a> {
    /// The step.
    pub step: &'a Step,
    /// What came of it.
    pub words: &'a str,
    /// What comes after it.
    pub after: &'a Plan,
}

/// Attempts that [`take`] made.
#[derive(Debug, Clone, Copy)]
pub struct Taken {
    /// Of the step that was taken.
    pub attempt: AttemptId,
    /// Of the step after it.
    pub next: Option<AttemptId>,
}

/// Puts down a message that this transaction asks for, which has succeeded as soon as it
/// is there and is never seen to be due, and with it what comes after: the recovery's row
/// is written once. None if that step was planned before.
pub async fn take(
    tx: &mut Tx,
    tenant: Tenant,
    recovery: RecoveryId,
    take: Take<'_>,
) -> Result<Option<Taken>, DbError> {
    let (next, closes_at) = match take.after {
        Plan::Act(step) => (Some(step), None),
        Plan::Wait { until, .. } => (None, Some(*until)),
        Plan::GiveUp { .. } => (None, None),
    };
    let progress = Progress {
        from: number(take.step)? - 1,
        to: number(next.unwrap_or(take.step))?,
        closes_at,
    };
    if !recoveries::progress(tx, tenant, recovery, progress).await? {
        return Ok(None);
    }
    let attempt = add(tx, tenant, recovery, take.step, Some(take.words)).await?;
    let next = match next {
        Some(step) => Some(add(tx, tenant, recovery, step, None).await?),
        None => None,
    };
    Ok(Some(Taken { attempt, next }))
}

fn number(step: &Step) -> Result<i32, DbError> {
    i32::try_from(step.number).map_err(|e| DbError::corrupt("step number", e))
}

/// One attempt: of a step that is to be taken, or that was `taken` with these words.
async fn add(
    tx: &mut Tx,
    tenant: Tenant,
    recovery: RecoveryId,
    step: &Step,
    taken: Option<&str>,
) -> Result<AttemptId, DbError> {
    let id = tx.new_id::<Attempt>();
    let cause = tx.cause().clone();
    let state = match taken {
        Some(_) => AttemptState::Succeeded,
        None => AttemptState::Scheduled,
    };
    let channels: Vec<&str> = step.channels.iter().map(|it| it.as_str()).collect();
    sql("INSERT INTO attempts (
           id, organization_id, recovery_id, number, kind, state, channels, why, due_at,
           outcome, claims, traceparent, tracestate, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)")
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(recovery.uuid())
    .bind::<Integer, _>(number(step)?)
    .bind::<Text, _>(step.kind.as_str())
    .bind::<Text, _>(state.as_str())
    .bind::<Array<Text>, _>(channels)
    .bind::<Text, _>(step.why.as_str())
    .bind::<Timestamptz, _>(step.due_at)
    .bind::<Nullable<Text>, _>(taken)
    .bind::<Integer, _>(i32::from(taken.is_some()))
    .bind::<Nullable<Text>, _>(cause.traceparent)
    .bind::<Nullable<Text>, _>(cause.tracestate)
    .bind::<Timestamptz, _>(cause.at)
    .execute(tx.conn())
    .await?;
    Ok(id)
}
