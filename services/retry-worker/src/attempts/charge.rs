//! Charging. The steps are in the module above.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use db::attempts::StoredAttempt;
use db::checkouts::StoredCheckout;
use db::recoveries::RecoveredBy;
use domain::state::{AttemptState, CheckoutState};
use psp::{ChargeOutcome, CheckoutStatus, Closing, Decline, PaymentRef, PaymentStatus, PspError};

use super::outcome::Arrived;
use super::prepare::{Prepared, left_to_its_holder, prepare};
use super::{AttemptTrouble, budget, look_up, outcome, refusal};
use crate::Worker;
use crate::places::Place;

/// How near the PSP's own next try may be for ours to be made before it.
const BEFORE_THE_PSP: TimeDelta = TimeDelta::minutes(30);
/// After the PSP's own try was due: Stripe collects within the hour after
/// `next_payment_attempt` (<https://docs.stripe.com/billing/revenue-recovery/smart-retries>).
const AFTER_THE_PSP: TimeDelta = TimeDelta::minutes(60);
/// While the payer is at a checkout that cannot be closed.
const PAYER_IS_PAYING: TimeDelta = TimeDelta::minutes(5);

/// Why a charge waits while requests are held back ([`PspError::Paused`]).
pub(super) const PSP_IS_NOT_WELL: &str =
    "the charge waits until the PSP, or the account there, is well again";
/// How long a charge waits at first whose key was refused; then the breaker says.
const AFTER_A_REFUSED_KEY: Duration = Duration::from_secs(5);
/// Why a charge waits whose connection has no key any more.
const KEY_IS_REFUSED: &str = "the charge waits: the PSP does not accept the connection's key";

/// Whether the PSP's own try is so near that ours gives way to it.
fn is_soon(worker: &Worker, at: DateTime<Utc>) -> bool {
    let until = at - worker.backbone.clock.now();
    (-AFTER_THE_PSP..=BEFORE_THE_PSP).contains(&until)
}

/// Charges a claimed attempt.
pub(super) async fn charge(
    worker: &Worker,
    attempt: &StoredAttempt,
    place: &mut Place,
) -> Result<(), AttemptTrouble> {
    let Some(prepared) = Box::pin(prepare(worker, attempt, place)).await? else {
        return Ok(());
    };
    if !closed_for_charge(worker, attempt, &prepared).await? {
        return Ok(());
    }
    match prepared.psp.payment_status(&prepared.payment).await {
        Ok(PaymentStatus::Succeeded { amount, charge }) => {
            let arrived = Arrived {
                payment: &prepared.payment,
                charge: charge.as_deref(),
                amount,
            };
            outcome::paid_elsewhere(worker, attempt, &arrived, RecoveredBy::Elsewhere, None).await
        }
        Ok(PaymentStatus::Pending) => {
            let why = "the payment is already under way at the PSP";
            outcome::in_doubt(worker, attempt, why, look_up::NEXT_LOOK).await
        }
        Ok(PaymentStatus::Cancelled) => outcome::cancelled_by_merchant(worker, attempt).await,
        Ok(PaymentStatus::Failed {
            psp_tries_at: Some(at),
            ..
        }) if is_soon(worker, at) => {
            let why = "the PSP is about to try by itself, and two must not race for one bill";
            let pause = at - worker.backbone.clock.now() + AFTER_THE_PSP;
            outcome::handed_back(worker, attempt, why, Some(pause)).await
        }
        Ok(PaymentStatus::Failed { latest_charge, .. }) => {
            send(worker, attempt, &prepared, latest_charge.as_deref()).await
        }
        Err(error) => not_charged(worker, attempt, &prepared, &error).await,
    }
}

/// Closes the payer's live checkout, if there is one. False if the charge must
/// not go on; then the attempt is settled.
pub(super) async fn closed_for_charge(
    worker: &Worker,
    attempt: &StoredAttempt,
    prepared: &Prepared,
) -> Result<bool, AttemptTrouble> {
    match &prepared.checkout {
        Some(checkout) => close_checkout(worker, attempt, prepared, checkout).await,
        None => Ok(true),
    }
}

async fn close_checkout(
    worker: &Worker,
    attempt: &StoredAttempt,
    prepared: &Prepared,
    checkout: &StoredCheckout,
) -> Result<bool, AttemptTrouble> {
    let Some(reference) = &checkout.reference else {
        let why = "the payer's checkout is just being opened";
        outcome::handed_back(worker, attempt, why, None).await?;
        return Ok(false);
    };
    match prepared.psp.close_checkout(reference).await {
        Ok(Closing::Closed | Closing::AlreadyGone) => {
            let now = worker.backbone.clock.now();
            let mut conn = worker.backbone.db.read().await?;
            let closed = CheckoutState::Closed;
            db::checkouts::end(&mut conn, attempt.tenant, checkout.id, closed, now).await?;
            db::checkouts::mark_gone(&mut conn, attempt.tenant, checkout.id, now).await?;
            Ok(true)
        }
        Ok(Closing::AlreadyPaid) => {
            let link = Some(checkout.link);
            let (payment, amount) = paid_there(prepared, reference).await;
            let arrived = Arrived {
                payment: &payment,
                charge: None,
                amount,
            };
            outcome::paid_elsewhere(worker, attempt, &arrived, RecoveredBy::Link, link).await?;
            Ok(false)
        }
        Ok(Closing::PaymentUnderway) => {
            let why = "the payer has paid by a means that takes time to settle";
            outcome::handed_back(worker, attempt, why, Some(PAYER_IS_PAYING)).await?;
            Ok(false)
        }
        Err(error) => {
            not_charged(worker, attempt, prepared, &error).await?;
            Ok(false)
        }
    }
}

/// What was paid at a checkout: what it was opened for, unless the PSP says otherwise.
async fn paid_there(prepared: &Prepared, reference: &str) -> (PaymentRef, domain::Money) {
    let unnamed = PaymentRef {
        provider: prepared.payment.provider,
        id: reference.to_owned(),
    };
    let owed = prepared.request.amount;
    let Ok(CheckoutStatus::Paid { payment }) = prepared.psp.checkout_status(reference).await else {
        return (unnamed, owed);
    };
    match prepared.psp.payment_status(&payment).await {
        Ok(PaymentStatus::Succeeded { amount, .. }) => (payment, amount),
        _ => (payment, owed),
    }
}

/// Sends the charge, first or again under the same key, and settles the attempt.
/// That it is sent, and which charge was the payment's newest before, is written
/// first: a look-up tells our charge by it. A worker that was held up so long that
/// its attempt was settled by another finds nothing to write to, and sends nothing.
pub(super) async fn send(
    worker: &Worker,
    attempt: &StoredAttempt,
    prepared: &Prepared,
    charge_before: Option<&str>,
) -> Result<(), AttemptTrouble> {
    let now = worker.backbone.clock.now();
    let mut conn = worker.backbone.db.read().await?;
    if !db::attempts::mark_sent(&mut conn, attempt, worker.id, charge_before, now).await? {
        let recovery = db::recoveries::find(&mut conn, attempt.tenant, attempt.recovery).await?;
        let is_held = db::holds::covers(&conn, attempt.tenant).await?;
        drop(conn);
        if recovery.is_some_and(|recovery| recovery.paused_at.is_some()) {
            return paused(worker, attempt).await;
        }
        if is_held {
            return held(worker, attempt).await;
        }
        left_to_its_holder();
        return Ok(());
    }
    drop(conn);
    match prepared.psp.charge(&prepared.request).await {
        Ok(ChargeOutcome::Succeeded { payment, charge }) => {
            let arrived = Arrived {
                payment: &payment,
                charge: charge.as_deref(),
                amount: prepared.request.amount,
            };
            outcome::succeeded(worker, attempt, &arrived).await
        }
        Ok(ChargeOutcome::Declined(decline) | ChargeOutcome::PayerNeeded(decline)) => {
            declined(worker, attempt, prepared, &decline).await
        }
        Ok(ChargeOutcome::Pending { .. }) => {
            let why = "the PSP is processing the charge";
            outcome::in_doubt(worker, attempt, why, look_up::NEXT_LOOK).await
        }
        Err(error) if error.is_unclear() => {
            let pause = look_up::pause(worker, attempt);
            outcome::in_doubt(worker, attempt, &error.to_string(), pause).await
        }
        // This request surely did not act; whether an earlier one will is still open.
        Err(error) if attempt.state == AttemptState::InDoubt && error.may_retry() => {
            outcome::in_doubt(worker, attempt, &error.to_string(), look_up::NEXT_LOOK).await
        }
        Err(error) => not_charged(worker, attempt, prepared, &error).await,
    }
}

/// The recovery was paused right before its charge was sent. What was sent before
/// may still go through, and is looked up.
async fn paused(worker: &Worker, attempt: &StoredAttempt) -> Result<(), AttemptTrouble> {
    let why = "the recovery was paused right before the charge was sent";
    if attempt.state == AttemptState::InDoubt {
        outcome::in_doubt(worker, attempt, why, look_up::NEXT_LOOK).await
    } else {
        outcome::cancelled_and_planned_anew(worker, attempt, why).await
    }
}

/// Operators paused charges right before this one was sent: it waits as it was, and is
/// not claimed before they resume. What was sent before may still go through, and is
/// looked up all the same.
async fn held(worker: &Worker, attempt: &StoredAttempt) -> Result<(), AttemptTrouble> {
    let why = "charges were paused right before this one was sent";
    if attempt.state == AttemptState::InDoubt {
        outcome::in_doubt(worker, attempt, why, look_up::NEXT_LOOK).await
    } else {
        outcome::handed_back(worker, attempt, why, None).await
    }
}

pub(super) async fn declined(
    worker: &Worker,
    attempt: &StoredAttempt,
    prepared: &Prepared,
    decline: &Decline,
) -> Result<(), AttemptTrouble> {
    record_refusal(worker, attempt, prepared, decline, false).await
}

/// The PSP failed to make the charge: settled like a decline, which no network
/// has seen.
pub(super) async fn not_made(
    worker: &Worker,
    attempt: &StoredAttempt,
    prepared: &Prepared,
    decline: &Decline,
) -> Result<(), AttemptTrouble> {
    record_refusal(worker, attempt, prepared, decline, true).await
}

async fn record_refusal(
    worker: &Worker,
    attempt: &StoredAttempt,
    prepared: &Prepared,
    decline: &Decline,
    never_sent: bool,
) -> Result<(), AttemptTrouble> {
    let network = prepared.transaction.known.network.as_deref();
    let classification = refusal::classified(decline, network);
    let card = budget::told(&prepared.transaction, decline);
    let said = refusal::Refusal {
        decline,
        classification: &classification,
        card: card.as_ref(),
        never_sent,
    };
    refusal::declined(worker, attempt, &said).await
}

/// Trouble before a charge was made, or that says that none was made.
async fn not_charged(
    worker: &Worker,
    attempt: &StoredAttempt,
    prepared: &Prepared,
    error: &PspError,
) -> Result<(), AttemptTrouble> {
    match error {
        // Retried: nothing was charged, whether the PSP saw a look-up or not.
        PspError::NotSent { .. } | PspError::Unclear { .. } | PspError::Malformed { .. } => {
            outcome::handed_back(worker, attempt, &error.to_string(), None).await
        }
        PspError::RateLimited { retry_after } => {
            let pause = retry_after.and_then(|pause| TimeDelta::from_std(pause).ok());
            outcome::handed_back(worker, attempt, &error.to_string(), pause).await
        }
        PspError::HeldBack => outcome::handed_back(worker, attempt, &error.to_string(), None).await,
        PspError::Paused { pause } => {
            outcome::left_alone(worker, attempt, PSP_IS_NOT_WELL, *pause).await
        }
        // The merchant's to mend. No charge is given up for a key that was replaced at
        // the PSP an hour before it is here.
        PspError::Unauthorized { .. } => {
            tracing::error!(
                %error, connection.id = %prepared.connection.id,
                "no charge can be made over this connection",
            );
            prepared.connection.note_refused(worker, attempt).await?;
            outcome::left_alone(worker, attempt, KEY_IS_REFUSED, AFTER_A_REFUSED_KEY).await
        }
        // Final: the same request would be refused again.
        _ => refusal::refused(worker, attempt, error).await,
    }
}
