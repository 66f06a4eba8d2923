//! The first step of a charge: its recovery is locked, and its one open charge and a try
//! on the card are reserved, or the attempt is settled without.

use std::time::Duration;

use db::attempts::{Reserved, StoredAttempt};
use db::checkouts::StoredCheckout;
use db::recoveries::StoredRecovery;
use db::transactions::StoredTransaction;
use domain::Provider;
use domain::id::ConnectionId;
use domain::limits::Ceiling;
use psp::{ChargeRequest, PaymentRef, Psp, SavedMeans};

use super::charge::PSP_IS_NOT_WELL;
use super::{AttemptTrouble, NOT_TO_BE_ACTED_ON, budget, may_be_acted_on, outcome};
use crate::Worker;
use crate::places::Place;

/// Why a charge waits when too many are with its PSP.
const PSP_IS_CROWDED: &str = "the charge waits: as many as may be are at its PSP already";
/// How long it waits then at first.
const AFTER_A_CROWD: Duration = Duration::from_secs(2);
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
    pub(super) connection: Used,
    pub(super) checkout: Option<StoredCheckout>,
}

/// The connection that a charge goes over, with the key that it was opened with.
pub(super) struct Used {
    pub(super) id: ConnectionId,
    credentials_sealed: Vec<u8>,
}

impl Used {
    /// Shows the merchant that the PSP refuses the key, unless it was replaced meanwhile.
    pub(super) async fn note_refused(
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
pub(super) async fn prepare(
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

/// Why a charge is handed back beside which a recovery has another.
const ANOTHER_IS_UNDER_WAY: &str = "another charge of this recovery is under way";

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
    match db::attempts::open_charge(&mut tx, attempt, worker.id).await? {
        Reserved::Yes => {}
        Reserved::ByAnother => {
            tx.roll_back().await?;
            outcome::handed_back(worker, attempt, ANOTHER_IS_UNDER_WAY, None).await?;
            return Ok(Step::Over);
        }
        Reserved::NotHeld => {
            tx.roll_back().await?;
            left_to_its_holder();
            return Ok(Step::Over);
        }
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

/// Tells of an attempt that was taken over while this worker was held up.
pub(super) fn left_to_its_holder() {
    metrics::counter!("attempts_lost_total").increment(1);
    tracing::warn!("nothing is done: the attempt was taken over while this worker was held up");
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
