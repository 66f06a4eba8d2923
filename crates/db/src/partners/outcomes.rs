//! What became of a delivery, and of its endpoint's health.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::{WebhookEndpointId, WebhookTry};
use domain::partner::{Health, Setback, Verdict};
use serde_json::Value;
use uuid::Uuid;

use super::Claimed;
use super::endpoints::{cancel_waiting, lock};
use crate::sql::sql;
use crate::{DbError, Tenant, Tx};

/// One request, and what was answered.
#[derive(Debug, Clone)]
pub struct Try {
    /// When it began.
    pub at: DateTime<Utc>,
    /// How long it took, in milliseconds.
    pub duration_ms: i32,
    /// What was sent as headers, signatures left out.
    pub request_headers: Value,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// The answer's beginning.
    pub answer: Option<String>,
    /// Why there was none, or what was wrong with it.
    pub error: Option<String>,
}

/// What followed from a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is recorded.
    Recorded,
    /// It is recorded, and its endpoint must be disabled: it is gone, or has failed
    /// for too long.
    Disable,
    /// Nothing: the delivery is not this worker's any more.
    Lost,
}

/// Records a try of a delivery that `worker` holds: its log, the delivery's state,
/// the endpoint's health.
pub async fn record(
    tx: &mut Tx,
    claimed: &Claimed,
    worker: Uuid,
    verdict: Verdict,
    made: &Try,
) -> Result<Outcome, DbError> {
    let now = tx.now();
    let due_at = match verdict {
        Verdict::Retry { at } => Some(at),
        Verdict::Delivered | Verdict::Failed | Verdict::Gone => None,
    };
    let moved = sql("UPDATE partner_deliveries
         SET state = $4, due_at = coalesce($5, due_at), claimed_by = NULL, lease_until = NULL,
             last_status = $6, last_error = $7, finished_at = CASE WHEN $5 IS NULL THEN $8 END,
             updated_at = $8
         WHERE organization_id = $1 AND id = $2 AND state = 'sending' AND claimed_by = $3")
    .bind::<SqlUuid, _>(claimed.tenant.uuid())
    .bind::<SqlUuid, _>(claimed.id.uuid())
    .bind::<SqlUuid, _>(worker)
    .bind::<Text, _>(verdict.state().as_str())
    .bind::<Nullable<Timestamptz>, _>(due_at)
    .bind::<Nullable<Integer>, _>(made.status.map(i32::from))
    .bind::<Nullable<Text>, _>(made.error.as_deref())
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    if moved == 0 {
        return Ok(Outcome::Lost);
    }
    log(tx, claimed, made).await?;
    if verdict == Verdict::Gone {
        return Ok(Outcome::Disable);
    }
    if verdict == Verdict::Delivered {
        well(tx, claimed).await?;
        return Ok(Outcome::Recorded);
    }
    worse(tx, claimed).await
}

async fn log(tx: &mut Tx, claimed: &Claimed, made: &Try) -> Result<(), DbError> {
    let id = tx.new_id::<WebhookTry>();
    let cause = tx.cause().clone();
    sql("INSERT INTO partner_tries (
           id, organization_id, delivery_id, number, at, duration_ms, request_headers, status,
           answer, error, trace_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<SqlUuid, _>(claimed.tenant.uuid())
    .bind::<SqlUuid, _>(claimed.id.uuid())
    .bind::<Integer, _>(i32::try_from(claimed.tries).unwrap_or(i32::MAX))
    .bind::<Timestamptz, _>(made.at)
    .bind::<Integer, _>(made.duration_ms)
    .bind::<Jsonb, _>(&made.request_headers)
    .bind::<Nullable<Integer>, _>(made.status.map(i32::from))
    .bind::<Nullable<Text>, _>(made.answer.as_deref())
    .bind::<Nullable<Text>, _>(made.error.as_deref())
    .bind::<Nullable<Text>, _>(cause.trace_id())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A healthy endpoint's row is left alone: successes are what is usual.
async fn well(tx: &mut Tx, claimed: &Claimed) -> Result<(), DbError> {
    sql("UPDATE webhook_endpoints
         SET failures = 0, failing_since = NULL, paused_until = NULL
         WHERE organization_id = $1 AND id = $2 AND failures > 0")
    .bind::<SqlUuid, _>(claimed.tenant.uuid())
    .bind::<SqlUuid, _>(claimed.endpoint.uuid())
    .execute(tx.conn())
    .await?;
    Ok(())
}

async fn worse(tx: &mut Tx, claimed: &Claimed) -> Result<Outcome, DbError> {
    let (tenant, id) = (claimed.tenant, claimed.endpoint);
    let Some(endpoint) = lock(tx, tenant, id).await? else {
        return Ok(Outcome::Recorded);
    };
    let now = tx.now();
    let Health {
        failures,
        failing_since,
        paused_until,
    } = match endpoint.health.after_failure(now) {
        Setback::Goes(health) => health,
        Setback::Disable => return Ok(Outcome::Disable),
    };
    sql(
        "UPDATE webhook_endpoints SET failures = $3, failing_since = $4, paused_until = $5
         WHERE organization_id = $1 AND id = $2",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Integer, _>(i32::try_from(failures).unwrap_or(i32::MAX))
    .bind::<Nullable<Timestamptz>, _>(failing_since)
    .bind::<Nullable<Timestamptz>, _>(paused_until)
    .execute(tx.conn())
    .await?;
    Ok(Outcome::Recorded)
}

/// Disables an endpoint for this reason, and cancels what waits for it. False if it
/// was not enabled.
pub async fn disable(
    tx: &mut Tx,
    tenant: Tenant,
    id: WebhookEndpointId,
    reason: &str,
) -> Result<bool, DbError> {
    let now = tx.now();
    let disabled = sql("UPDATE webhook_endpoints
         SET enabled = false, disabled_reason = $3, updated_at = $4
         WHERE organization_id = $1 AND id = $2 AND enabled AND deleted_at IS NULL")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Text, _>(reason)
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    if disabled == 1 {
        cancel_waiting(tx, tenant, id).await?;
    }
    Ok(disabled == 1)
}
