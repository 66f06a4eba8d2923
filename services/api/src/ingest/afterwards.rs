//! What becomes of a payment after it was tried: cancelled, paid in part, paid
//! back, disputed.

use db::paid::{self, Settled};
use db::recoveries::{self, StoredRecovery};
use db::{DbError, Tenant, Tx, ending, timeline, transactions};
use domain::{Money, RecoveryState};
use psp::PaymentRef;
use psp::webhook::{CancelledPayment, Disputed, PartPayment, Refunded};
use serde_json::json;

const NOBODYS: &str = "is of a payment that no recovery is about";
const OVER: &str = "was noted: the recovery was over already";

/// Nobody is charged or written to for a payment that the payer disputes, be its
/// failure heard of before or after.
pub(super) async fn disputed(
    tx: &mut Tx,
    tenant: Tenant,
    disputed: &Disputed,
) -> Result<String, DbError> {
    let charge = disputed.charge.as_deref();
    let payment = (&disputed.payment, disputed.also_known_as.as_slice());
    let found = found_or_noted(tx, tenant, payment, charge, Settled::Disputed).await?;
    let Some(recovery) = found else {
        return Ok(NOBODYS.to_owned());
    };
    let why = "The payer disputes the payment at the bank";
    note(tx, &recovery, "payment.disputed", why, disputed.amount);
    let state = RecoveryState::Cancelled;
    if ending::ended(tx, tenant, recovery.id, state, why).await? {
        return Ok("cancelled the recovery".to_owned());
    }
    if !matches!(
        recovery.state,
        RecoveryState::Recovered | RecoveryState::Cancelled
    ) {
        // It ran out by itself: a failure that is reported later must open no new one.
        let objects = objects(payment, charge);
        paid::note(tx, tenant, payment.0.provider, &objects, Settled::Disputed).await?;
    }
    Ok(OVER.to_owned())
}

/// What went back was paid. An open recovery whose whole amount went back is
/// over: the merchant has settled it with the payer. A part that went back says
/// that the rest is there, which its own event tells.
pub(super) async fn refunded(
    tx: &mut Tx,
    tenant: Tenant,
    refunded: &Refunded,
) -> Result<String, DbError> {
    let charge = refunded.charge.as_deref();
    let payment = (&refunded.payment, refunded.also_known_as.as_slice());
    let Some(recovery) = found_or_noted(tx, tenant, payment, charge, Settled::Paid).await? else {
        return Ok(NOBODYS.to_owned());
    };
    let why = "Money went back to the payer";
    note(tx, &recovery, "payment.refunded", why, refunded.amount);
    let (back, owed) = (refunded.amount, recovery.amount);
    let whole = back.currency() == owed.currency() && back.minor() >= owed.minor();
    let why = "The payment was made and paid back";
    let state = RecoveryState::Cancelled;
    if whole && ending::ended(tx, tenant, recovery.id, state, why).await? {
        return Ok("cancelled the recovery: the payment was made and paid back".to_owned());
    }
    Ok("was noted".to_owned())
}

/// The merchant gave the payment up. What an open recovery is about is its
/// transaction's own payment or invoice; another of its payments (a checkout of
/// ours that closed, an intent of an invoice) may go without it.
pub(super) async fn cancelled(
    tx: &mut Tx,
    tenant: Tenant,
    cancelled: &CancelledPayment,
) -> Result<String, DbError> {
    let payment = (&cancelled.payment, &[][..]);
    let found = found_or_noted(tx, tenant, payment, None, Settled::Cancelled).await?;
    let Some(recovery) = found else {
        return Ok(NOBODYS.to_owned());
    };
    let transaction = transactions::find(tx.conn(), tenant, recovery.transaction).await?;
    let own = transaction.and_then(|transaction| transaction.known.payment_ref);
    if own.as_deref() != Some(cancelled.payment.id.as_str()) {
        return Ok("is of one of several payments: what they were for is still owed".to_owned());
    }
    let why = format!("The merchant {}", cancelled.what);
    let state = RecoveryState::Cancelled;
    if ending::ended(tx, tenant, recovery.id, state, &why).await? {
        return Ok("cancelled the recovery".to_owned());
    }
    Ok(OVER.to_owned())
}

/// A part was paid: told, since what is asked for is still the whole.
pub(super) async fn partly_paid(
    tx: &mut Tx,
    tenant: Tenant,
    part: &PartPayment,
) -> Result<String, DbError> {
    let objects = objects((&part.payment, &part.also_known_as), None);
    let hints = (part.recovery_hint, None);
    let provider = part.payment.provider;
    let known = super::success::transaction_of(tx, tenant, provider, &objects, hints).await?;
    let Some(transaction) = known else {
        return Ok(NOBODYS.to_owned());
    };
    let recovery = recoveries::newest_of_transaction(tx, tenant, transaction).await?;
    let Some(recovery) = recovery else {
        return Ok(NOBODYS.to_owned());
    };
    let why = "A part of what is owed was paid";
    note(tx, &recovery, "payment.partial", why, part.amount);
    Ok("was noted: a part was paid".to_owned())
}

/// The recovery of a payment. Of one that nothing is known of it is noted how it
/// is settled, in case the report of its failure comes later.
async fn found_or_noted(
    tx: &mut Tx,
    tenant: Tenant,
    payment: (&PaymentRef, &[String]),
    charge: Option<&str>,
    settled: Settled,
) -> Result<Option<StoredRecovery>, DbError> {
    let (objects, provider) = (objects(payment, charge), payment.0.provider);
    let mut known = transactions::by_object(tx.conn(), tenant, provider, &objects).await?;
    if known.is_none() {
        paid::take_turns(tx, tenant, provider, &objects).await?;
        known = transactions::by_object(tx.conn(), tenant, provider, &objects).await?;
    }
    if let Some(transaction) = known {
        return recoveries::newest_of_transaction(tx, tenant, transaction).await;
    }
    paid::note(tx, tenant, provider, &objects, settled).await?;
    Ok(None)
}

fn objects<'a>(
    (payment, also): (&'a PaymentRef, &'a [String]),
    charge: Option<&'a str>,
) -> Vec<&'a str> {
    std::iter::once(payment.id.as_str())
        .chain(also.iter().map(String::as_str))
        .chain(charge)
        .collect()
}

fn note(tx: &mut Tx, recovery: &StoredRecovery, kind: &str, why: &str, amount: Money) {
    let detail = json!({ "amount": amount.minor(), "currency": amount.currency().code() });
    timeline::announce(tx, recovery.tenant, recovery.id, kind, why, detail);
}
