//! Charging. The steps are in the module above.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use db::attempts::StoredAttempt;
use db::checkouts::StoredCheckout;
use db::recoveries::{RecoveredBy, StoredRecovery};
use db::transactions::StoredTransaction;
use domain::Provider;
use domain::id::ConnectionId;
use domain::limits::Ceiling;
use domain::state::{AttemptState, CheckoutState};
use psp::{
    ChargeOutcome, ChargeRequest, CheckoutStatus, Closing, Decline, PaymentRef, PaymentStatus, Psp,
    PspError, SavedMeans,
};

use super::outcome::Arrived;
use super::{
    AttemptTrouble, NOT_TO_BE_ACTED_ON, budget, look_up, may_be_acted_on, outcome, refusal,
};
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
const PSP_IS_NOT_WELL: &str = "the charge waits until the PSP, or the account there, is well again";
/// How long a charge waits at first whose key was refused; then the breaker says.
const AFTER_A_REFUSED_KEY: Duration = Duration::from_secs(5);
/// Why a charge waits when too many are with its PSP.
const PSP_IS_CROWDED: &str = "the charge waits: as many as may be are at its PSP already";
/// How long it waits then at first.
const AFTER_A_CROWD: Duration = Duration::from_secs(2);
/// Why a charge waits whose connection has no key any more.
const KEY_IS_REFUSED: &str = "the charge waits: the PSP does not accept the connection's key";

/// Whether the PSP's own try is so near that ours gives way to it.
fn is_soon(worker: &Worker, at: DateTime<Utc>) -> bool {
    let until = at - worker.backbone.clock.now();
    (-AFTER_THE_PSP..=BEFORE_THE_PSP).contains(&until)
}

/// Why an attempt cannot be charged as things are.
pub(super) enum Hindrance {
    /// Nothing that could be charged is saved any more: no later claim will fare better.
    NothingSaved,
    /// The connection's credentials do not open: a fault of the installation,
    /// which somebody will mend. No charge is given up for it.
    Unusable,
}

/// All that a charge needs, read under the recovery's lock.
pub(super) struct Prepared {
    pub(super) psp: Psp,
    pub(super) payment: PaymentRef,
    pub(super) request: ChargeRequest,
    pub(super) transaction: StoredTransaction,
    connection: Used,
    checkout: Option<StoredCheckout>,
}

/// The connection that a charge goes over, with the key that it was opened with.
struct Used {
    id: ConnectionId,
    credentials_sealed: Vec<u8>,
}

impl Used {
    /// Shows the merchant that the PSP refuses the key, unless it was replaced meanwhile.
    async fn note_refused(
        &self,
        worker: &Worker,
        attempt: &StoredAttempt,
    ) -> Result<(), AttemptTrouble> {
        let now = worker.backbone.clock.now();
        let mut conn = worker.backbone.db.read().await?;
        let (tenant, key) = (attempt.tenant, &self.credentials_sealed);
        db::connections::note_refused(&mut conn, tenant, self.id, key, now).await?;
        Ok(())
    }
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

/// A rule of the card's network, its rail or a law stands in the charge's way.
pub(super) async fn refused_by_rule(
    worker: &Worker,
    attempt: &StoredAttempt,
    recovery: &StoredRecovery,
    refused: Ceiling,
) -> Result<(), AttemptTrouble> {
    match refused {
        Ceiling::NotBefore { at, rule } if at < recovery.closes_at => {
            outcome::put_off(worker, attempt, at, rule).await
        }
        Ceiling::NotBefore { rule, .. } | Ceiling::Never { rule } => {
            metrics::counter!("charges_refused_by_rule_total", "rule" => rule.id).increment(1);
            let why = format!("No charge may be made any more: {}", rule.words);
            outcome::cancelled_and_planned_anew(worker, attempt, &why).await
        }
        Ceiling::Allowed => Ok(()),
    }
}

/// How far the preparation of a charge came.
enum Step {
    Ready(Box<Prepared>),
    /// The attempt is settled, or waits.
    Over,
    /// Nothing was done: its PSP's share of the places is taken.
    Crowded(Provider),
}

/// Prepares a charge, and waits for the PSP's share of the places between two tries
/// where it is taken: no row is locked and nothing reserved meanwhile.
async fn prepare(
    worker: &Worker,
    attempt: &StoredAttempt,
    place: &mut Place,
) -> Result<Option<Prepared>, AttemptTrouble> {
    loop {
        match reserve(worker, attempt, place).await? {
            Step::Ready(prepared) => return Ok(Some(*prepared)),
            Step::Over => return Ok(None),
            Step::Crowded(provider) => {
                if !place.wait_aside_for(provider).await {
                    outcome::left_alone(worker, attempt, PSP_IS_CROWDED, AFTER_A_CROWD).await?;
                    return Ok(None);
                }
            }
        }
    }
}

/// Locks the recovery, sees that it is open, reserves its one open charge and a
/// try on the card, in one transaction.
async fn reserve(
    worker: &Worker,
    attempt: &StoredAttempt,
    place: &mut Place,
) -> Result<Step, AttemptTrouble> {
    let (mut tx, recovery) = outcome::locked(worker, attempt).await?;
    let rests = recovery.as_ref().is_some_and(|it| it.paused_at.is_some());
    let Some(recovery) = recovery.filter(may_be_acted_on) else {
        tx.roll_back().await?;
        if rests {
            // By now it may be resumed, and then its next step is planned here.
            outcome::cancelled_and_planned_anew(worker, attempt, NOT_TO_BE_ACTED_ON).await?;
        } else {
            outcome::cancelled(worker, attempt, NOT_TO_BE_ACTED_ON).await?;
        }
        return Ok(Step::Over);
    };
    if !db::attempts::open_charge(&mut tx, attempt.tenant, recovery.id, attempt.id).await? {
        tx.roll_back().await?;
        let why = "another charge of this recovery is under way";
        outcome::handed_back(worker, attempt, why, None).await?;
        return Ok(Step::Over);
    }
    match read(&mut tx, worker, attempt, &recovery).await? {
        Ok(prepared) => {
            if let Some(pause) = prepared.psp.pause() {
                // Before anything is reserved: as if it had not been due.
                tx.roll_back().await?;
                outcome::left_alone(worker, attempt, PSP_IS_NOT_WELL, pause).await?;
                return Ok(Step::Over);
            }
            let provider = prepared.payment.provider;
            if !place.try_at(provider) {
                tx.roll_back().await?;
                return Ok(Step::Crowded(provider));
            }
            let said = budget::reserve(&mut tx, attempt, &recovery, &prepared.transaction).await?;
            if said == Ceiling::Allowed {
                tx.commit().await?;
                return Ok(Step::Ready(Box::new(prepared)));
            }
            tx.roll_back().await?;
            refused_by_rule(worker, attempt, &recovery, said).await?;
            Ok(Step::Over)
        }
        Err(Hindrance::NothingSaved) => {
            tx.roll_back().await?;
            let why = "nothing that could be charged is saved any more";
            outcome::cancelled_and_planned_anew(worker, attempt, why).await?;
            Ok(Step::Over)
        }
        Err(Hindrance::Unusable) => {
            tx.roll_back().await?;
            let why = "the connection's credentials do not open";
            outcome::handed_back(worker, attempt, why, None).await?;
            Ok(Step::Over)
        }
    }
}

pub(super) async fn read(
    tx: &mut db::Tx,
    worker: &Worker,
    attempt: &StoredAttempt,
    recovery: &StoredRecovery,
) -> Result<Result<Prepared, Hindrance>, AttemptTrouble> {
    let tenant = attempt.tenant;
    let Some(transaction) = db::transactions::find(tx.conn(), tenant, recovery.transaction).await?
    else {
        return Ok(Err(Hindrance::NothingSaved));
    };
    let known = &transaction.known;
    let (Some(id), Some(payment), Some(payment_method)) = (
        known.connection,
        known.payment_ref.clone(),
        known.saved_payment_method.clone(),
    ) else {
        return Ok(Err(Hindrance::NothingSaved));
    };
    let Some(connection) = db::connections::find(tx.conn(), tenant, Some(id)).await? else {
        return Ok(Err(Hindrance::NothingSaved));
    };
    let psp = match worker.psps.open(&connection) {
        Ok(psp) => psp,
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "connection unusable"
            );
            return Ok(Err(Hindrance::Unusable));
        }
    };
    let payment = PaymentRef {
        provider: connection.provider,
        id: payment,
    };
    let request = ChargeRequest {
        attempt: attempt.id,
        recovery: recovery.id,
        organization: tenant.organization(),
        transaction_ref: transaction.transaction_ref.as_str().to_owned(),
        amount: recovery.amount,
        payment_ref: Some(payment.clone()),
        saved_means: SavedMeans {
            customer: known.saved_customer.clone(),
            payment_method,
        },
    };
    let checkout = db::checkouts::live(tx.conn(), tenant, recovery.id).await?;
    Ok(Ok(Prepared {
        psp,
        payment,
        request,
        transaction,
        connection: Used {
            id,
            credentials_sealed: connection.credentials_sealed,
        },
        checkout,
    }))
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
    let (tenant, id) = (attempt.tenant, attempt.id);
    if !db::attempts::mark_sent(&mut conn, tenant, id, charge_before, now).await? {
        let recovery = db::recoveries::find(&mut conn, tenant, attempt.recovery).await?;
        drop(conn);
        if recovery.is_some_and(|recovery| recovery.paused_at.is_some()) {
            return paused(worker, attempt).await;
        }
        tracing::warn!("a charge that was settled by another worker is not sent");
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
