//! Closing at the PSP what is over here.
//!
//! A recovery that ended (paid by another way, cancelled, given up) may leave
//! its payer in front of a checkout that can still be paid. It is closed at the
//! PSP, so that nobody pays twice or pays what is no longer owed.

use db::checkouts::StoredCheckout;
use db::{DbError, Tenant};
use psp::Closing;
use serde_json::json;

use crate::Worker;

/// Most checkouts closed in one round.
const BATCH: i64 = 20;

/// Closes what is left open; answers how many were looked at. A PSP that does
/// not answer is asked again in the next round.
pub async fn close_left_open(worker: &Worker) -> Result<usize, DbError> {
    // The rows are only read under lock, not held while the PSP is asked: two
    // workers that close the same checkout do no harm.
    let mut tx = worker.backbone.db.begin(worker.backbone.cause()).await?;
    let left = db::checkouts::left_open_at_psp(&mut tx, BATCH).await?;
    tx.roll_back().await?;
    for (tenant, checkout) in &left {
        close(worker, *tenant, checkout).await?;
    }
    Ok(left.len())
}

async fn close(worker: &Worker, tenant: Tenant, checkout: &StoredCheckout) -> Result<(), DbError> {
    let conn = worker.backbone.db.read().await?;
    let connection = db::connections::find(&conn, tenant, Some(checkout.connection)).await?;
    drop(conn);
    let Some(psp) = connection.and_then(|connection| worker.psps.open(&connection).ok()) else {
        return Ok(());
    };
    let reference = checkout.reference.as_deref().unwrap_or_default();
    match psp.close_checkout(reference).await {
        Ok(Closing::Closed | Closing::AlreadyGone) => {}
        Ok(Closing::AlreadyPaid | Closing::PaymentUnderway) => {
            paid_after_the_end(worker, tenant, checkout).await?;
        }
        Err(error) => {
            tracing::warn!(%error, checkout.id = %checkout.id, "a checkout is still open at the PSP");
            return Ok(());
        }
    }
    let mut conn = worker.backbone.db.read().await?;
    let now = worker.backbone.clock.now();
    db::checkouts::mark_gone(&mut conn, tenant, checkout.id, now).await
}

/// The payer was quicker. If the money had arrived before by another way it has
/// now arrived twice, and the merchant has to know.
async fn paid_after_the_end(
    worker: &Worker,
    tenant: Tenant,
    checkout: &StoredCheckout,
) -> Result<(), DbError> {
    let mut tx = worker.backbone.db.begin(worker.backbone.cause()).await?;
    let why = "The payer paid at a checkout after this recovery had ended";
    let detail = json!({ "checkout_id": checkout.id, "reference": checkout.reference });
    db::timeline::announce(
        &mut tx,
        tenant,
        checkout.recovery,
        "payment.after_end",
        why,
        detail,
    );
    tx.commit().await
}
