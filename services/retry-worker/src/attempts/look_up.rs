//! Looking up what is in doubt. Only what surely did not happen is charged again.

use chrono::TimeDelta;
use db::attempts::StoredAttempt;
use db::recoveries::StoredRecovery;
use domain::limits::Ceiling;
use psp::PaymentStatus;

use super::charge::{
    NEXT_LOOK, Prepared, closed_for_charge, declined, read, refused_by_rule, send,
};
use super::{AttemptTrouble, budget, outcome};
use crate::Worker;

/// Stripe keeps an idempotency key's answer for at least 24 hours; an attempt
/// older than this is never sent again, only looked up.
/// <https://docs.stripe.com/api/idempotent_requests>
const KEY_IS_KEPT: TimeDelta = TimeDelta::hours(20);
const CANNOT_LOOK: &str = "it cannot be looked up whether the charge went through";

/// Settles an attempt whose charge may have gone through.
pub(super) async fn look_up(
    worker: &Worker,
    attempt: &StoredAttempt,
) -> Result<(), AttemptTrouble> {
    let (mut tx, recovery) = outcome::locked(worker, attempt).await?;
    let Some(recovery) = recovery else {
        return Ok(());
    };
    let read = read(&mut tx, worker, attempt, &recovery).await?;
    let Ok(prepared) = read else {
        tx.roll_back().await?;
        return outcome::in_doubt(worker, attempt, CANNOT_LOOK, NEXT_LOOK).await;
    };
    match hold(&mut tx, attempt, &recovery, &prepared).await? {
        Some(Ceiling::Allowed) => tx.commit().await?,
        Some(refused) => {
            // It died before it had reserved anything: surely nothing was sent.
            tx.roll_back().await?;
            return refused_by_rule(worker, attempt, &recovery, refused).await;
        }
        None => {
            tx.roll_back().await?;
            return outcome::in_doubt(worker, attempt, CANNOT_LOOK, NEXT_LOOK).await;
        }
    }
    match prepared.psp.payment_status(&prepared.payment).await {
        Ok(PaymentStatus::Succeeded { charge, amount }) => {
            outcome::succeeded(worker, attempt, amount, charge.as_deref()).await
        }
        Ok(PaymentStatus::Pending) => {
            let why = "the PSP is still processing the charge";
            outcome::in_doubt(worker, attempt, why, NEXT_LOOK).await
        }
        Ok(PaymentStatus::Cancelled) => {
            // Surely not charged: the next claim sees the same and ends it.
            let why = "the payment was cancelled at the PSP";
            outcome::handed_back(worker, attempt, why, None).await
        }
        Ok(PaymentStatus::Failed { decline, .. }) => {
            // Not paid now. Whether our request was the one that failed, or never
            // arrived, the same key tells: it is answered as before, or acted on
            // for the first time.
            let young = worker.backbone.clock.now() - attempt.created_at < KEY_IS_KEPT;
            if recovery.state.is_open() && young {
                if closed_for_charge(worker, attempt, &prepared).await? {
                    send(worker, attempt, &prepared).await
                } else {
                    Ok(())
                }
            } else {
                declined(worker, attempt, &prepared, &decline.unwrap_or_default()).await
            }
        }
        Err(error) => {
            let why = format!("the look-up has no answer yet: {error}");
            outcome::in_doubt(worker, attempt, &why, NEXT_LOOK).await
        }
    }
}

/// Reserves what the worker that left an attempt may have died before reserving,
/// if it may still be sent. None if another charge of the recovery is under way.
async fn hold(
    tx: &mut db::Tx,
    attempt: &StoredAttempt,
    recovery: &StoredRecovery,
    prepared: &Prepared,
) -> Result<Option<Ceiling>, AttemptTrouble> {
    if !recovery.state.is_open() {
        return Ok(Some(Ceiling::Allowed));
    }
    let under_way = db::attempts::charge_under_way(tx.conn(), attempt.tenant, recovery.id).await?;
    if under_way == Some(attempt.id) {
        budget::keep(tx, attempt, recovery, &prepared.transaction).await?;
        return Ok(Some(Ceiling::Allowed));
    }
    if !db::attempts::open_charge(tx, attempt.tenant, recovery.id, attempt.id).await? {
        return Ok(None);
    }
    let said = budget::reserve(tx, attempt, recovery, &prepared.transaction).await?;
    Ok(Some(said))
}
