//! New attempts: steps that are scheduled, and those that are taken as they are planned.

use diesel::sql_types::{Array, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::AttemptState;
use domain::id::{Attempt, AttemptId, RecoveryId};
use domain::schedule::Step;

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
    add(tx, tenant, recovery, step, None).await
}

/// As [`schedule`], of a message that this transaction asks for: it has succeeded as soon
/// as it is there, with these `words`, and is never seen to be due.
pub async fn take(
    tx: &mut Tx,
    tenant: Tenant,
    recovery: RecoveryId,
    step: &Step,
    words: &str,
) -> Result<Option<AttemptId>, DbError> {
    add(tx, tenant, recovery, step, Some(words)).await
}

async fn add(
    tx: &mut Tx,
    tenant: Tenant,
    recovery: RecoveryId,
    step: &Step,
    taken: Option<&str>,
) -> Result<Option<AttemptId>, DbError> {
    let id = tx.new_id::<Attempt>();
    let cause = tx.cause().clone();
    let number = i32::try_from(step.number).map_err(|e| DbError::corrupt("step number", e))?;
    let moved = sql(
        "UPDATE recoveries SET planned_steps = $3, plan_done = false, updated_at = $4
         WHERE organization_id = $1 AND id = $2 AND state = 'open' AND planned_steps = $3 - 1",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(recovery.uuid())
    .bind::<Integer, _>(number)
    .bind::<Timestamptz, _>(cause.at)
    .execute(tx.conn())
    .await?;
    if moved == 0 {
        return Ok(None);
    }
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
    .bind::<Integer, _>(number)
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
    Ok(Some(id))
}
