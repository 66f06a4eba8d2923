//! Letting a recovery rest, and going on with it.
//!
//! What waits for a paused recovery ends, as at a recovery's end, in the
//! transaction that pauses it; nothing new is planned while it is paused, and what
//! a worker or the notifier has in hand by then looks at the recovery once more
//! right before it acts. Going on plans anew from that time. Its links live: a
//! payer who pays meanwhile has paid. Its time runs on.

use diesel::sql_types::{Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::json;

use crate::facts::Charges;
use crate::plan::{self, Planned};
use crate::recoveries::StoredRecovery;
use crate::sql::sql;
use crate::{DbError, Tx, attempts, notifications, timeline};

/// Pauses an open recovery, which is locked. False if it was paused before.
pub async fn pause(tx: &mut Tx, recovery: &StoredRecovery, why: &str) -> Result<bool, DbError> {
    let (tenant, id, now) = (recovery.tenant, recovery.id, tx.now());
    let paused = sql("UPDATE recoveries SET paused_at = $3, updated_at = $3
         WHERE organization_id = $1 AND id = $2 AND state = 'open' AND paused_at IS NULL")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    if paused == 0 {
        return Ok(false);
    }
    attempts::cancel_scheduled(tx, tenant, id, None, why).await?;
    notifications::withdraw_queued(tx, tenant, id, why).await?;
    let detail = json!({ "recovery_id": id });
    timeline::announce(tx, tenant, id, "recovery.paused", why, detail);
    Ok(true)
}

/// Goes on with a paused recovery, which is open and locked: plans its next step
/// from now, unless an attempt is still being made, whose end plans it. None if it
/// was not paused.
pub async fn resume(
    tx: &mut Tx,
    recovery: &StoredRecovery,
    charges: Charges,
    why: &str,
) -> Result<Option<Planned>, DbError> {
    let (tenant, id, now) = (recovery.tenant, recovery.id, tx.now());
    let resumed = sql("UPDATE recoveries SET paused_at = NULL, updated_at = $3
         WHERE organization_id = $1 AND id = $2 AND state = 'open' AND paused_at IS NOT NULL")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    if resumed == 0 {
        return Ok(None);
    }
    let detail = json!({ "recovery_id": id });
    timeline::announce(tx, tenant, id, "recovery.resumed", why, detail);
    let known = attempts::of_recovery(tx.conn(), tenant, id).await?;
    if known.iter().any(|attempt| !attempt.state.is_final()) {
        return Ok(Some(Planned::Nothing));
    }
    let awake = StoredRecovery {
        paused_at: None,
        ..recovery.clone()
    };
    plan::next(tx, &awake, charges).await.map(Some)
}
