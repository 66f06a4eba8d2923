//! What a PSP says happened, and what that does.

use db::checkouts;
use db::transactions::StoredTransaction;
use db::{DbError, Tenant, Tx, timeline, transactions};
use domain::id::ConnectionId;
use domain::{CheckoutState, Provider, TransactionRef};
use psp::webhook::{Fact, FailedPayment, Incoming};
use serde_json::json;

use super::{
    FailureReport, IngestError, Paid, ReportFault, afterwards, failure, from_psp,
    payment_succeeded, tried, underway,
};

/// Over which connection a webhook came.
#[derive(Debug, Clone, Copy)]
pub struct Connection {
    /// The connection.
    pub id: ConnectionId,
    /// Whose it is.
    pub tenant: Tenant,
    /// At which PSP.
    pub provider: Provider,
    /// Whether its merchant ended it: what is in flight is carried through, and no
    /// recovery is opened any more.
    pub ended: bool,
}

/// Gives a genuine event its effect, in this transaction; answers in words what
/// it was. The caller has seen to it that it is the first delivery.
pub async fn take(
    tx: &mut Tx,
    connection: Connection,
    incoming: &Incoming,
) -> Result<String, IngestError> {
    let tenant = connection.tenant;
    match &incoming.fact {
        Fact::PaymentFailed(failed) => payment_failed(tx, connection, incoming, failed).await,
        Fact::PaymentSucceeded(paid) => {
            underway::arrived(tx, tenant, paid).await?;
            let effect = payment_succeeded(tx, tenant, paid).await?;
            if matches!(effect, Paid::Recovered | Paid::Already | Paid::Twice) {
                tried::approved(tx, connection, incoming.occurred_at, paid).await?;
            }
            Ok(effect.words().to_owned())
        }
        Fact::CheckoutExpired { reference } => {
            Ok(checkout_expired(tx, connection, reference).await?)
        }
        Fact::PaymentUnderway(unsettled) => Ok(underway::begun(tx, connection, unsettled).await?),
        Fact::PaymentReleased(unsettled) => {
            Ok(underway::released(tx, connection, unsettled).await?)
        }
        Fact::PaymentCancelled(cancelled) => {
            Ok(afterwards::cancelled(tx, tenant, cancelled).await?)
        }
        Fact::PartlyPaid(part) => Ok(afterwards::partly_paid(tx, tenant, part).await?),
        Fact::Disputed(disputed) => Ok(afterwards::disputed(tx, tenant, disputed).await?),
        Fact::Refunded(refunded) => Ok(afterwards::refunded(tx, tenant, refunded).await?),
        Fact::Ignored => Ok("is of no interest".to_owned()),
    }
}

async fn payment_failed(
    tx: &mut Tx,
    connection: Connection,
    incoming: &Incoming,
    failed: &FailedPayment,
) -> Result<String, IngestError> {
    let (report, new) = match psp_report(tx, connection, incoming, failed).await? {
        Ok(report) => report,
        Err(Unwanted::Settled) => {
            return Ok("is of a payment that is settled, as was reported before".to_owned());
        }
        Err(Unwanted::Ended) => {
            return Ok("is of no open recovery, and the connection was ended".to_owned());
        }
    };
    let ingested = failure(tx, connection.tenant, &report).await?;
    if new {
        underway::adopt(tx, connection, &report, &ingested).await?;
    }
    if let Some(recovery) = ingested.recovery {
        crate::conduct::observe::about_recovery(recovery);
    }
    let differs = report.amount.is_some_and(|amount| amount != failed.amount);
    let mut words = ingested.effect.words().to_owned();
    if differs {
        words.push_str("; its amount differs from the one first reported, which is kept");
    }
    Ok(words)
}

/// Why a failed payment is no report.
enum Unwanted {
    /// It is known to be settled.
    Settled,
    /// It would open a recovery over a connection that was ended.
    Ended,
}

/// With whether its transaction is new.
async fn psp_report(
    tx: &mut Tx,
    connection: Connection,
    incoming: &Incoming,
    failed: &FailedPayment,
) -> Result<Result<(FailureReport, bool), Unwanted>, IngestError> {
    let tenant = connection.tenant;
    let objects = from_psp::objects(failed);
    let objects: Vec<&str> = objects.iter().map(String::as_str).collect();
    let provider = connection.provider;
    let mut known = transactions::by_object(tx.conn(), tenant, provider, &objects).await?;
    if known.is_none() {
        db::paid::take_turns(tx, tenant, provider, &objects).await?;
        if db::paid::holds(tx.conn(), tenant, provider, &objects).await? {
            return Ok(Err(Unwanted::Settled));
        }
        known = transactions::by_object(tx.conn(), tenant, provider, &objects).await?;
    }
    let known = match known {
        Some(id) => transactions::find(tx.conn(), tenant, id).await?,
        None => None,
    };
    if connection.ended && !is_in_flight(tx, tenant, known.as_ref()).await? {
        return Ok(Err(Unwanted::Ended));
    }
    let reference = match &known {
        Some(known) => known.transaction_ref.clone(),
        None => reference(failed).ok_or(ReportFault::Missing {
            field: "transaction_ref",
            reason: "the payment's own id cannot stand in for it",
        })?,
    };
    let report = from_psp::report(
        connection.id,
        &incoming.event_id,
        incoming.occurred_at,
        failed,
        known.as_ref(),
        reference,
    );
    Ok(Ok((report, known.is_none())))
}

/// Whether a recovery of the transaction is open.
async fn is_in_flight(
    tx: &mut Tx,
    tenant: Tenant,
    known: Option<&StoredTransaction>,
) -> Result<bool, DbError> {
    let Some(known) = known else {
        return Ok(false);
    };
    let all = db::recoveries::of_transaction(tx.conn(), tenant, known.id).await?;
    Ok(all.iter().any(|recovery| recovery.state.is_open()))
}

/// The merchant's own reference where the payment carries a decent one.
pub(super) fn reference(failed: &FailedPayment) -> Option<TransactionRef> {
    let own = failed.transaction_ref.as_deref().map(TransactionRef::parse);
    match own {
        Some(Ok(own)) => Some(own),
        _ => TransactionRef::parse(&failed.payment.id).ok(),
    }
}

pub(super) async fn checkout_expired(
    tx: &mut Tx,
    connection: Connection,
    reference: &str,
) -> Result<String, DbError> {
    let (tenant, provider) = (connection.tenant, connection.provider);
    let found = checkouts::by_reference(tx.conn(), tenant, provider, reference).await?;
    let Some(checkout) = found else {
        return Ok("is of a checkout that is not ours".to_owned());
    };
    let now = tx.now();
    if !checkouts::end(tx.conn(), tenant, checkout.id, CheckoutState::Expired, now).await? {
        return Ok("is of a checkout that was over already".to_owned());
    }
    let why = "The payment page closed before the payer had paid";
    let detail = json!({ "checkout_id": checkout.id });
    timeline::add(
        tx,
        tenant,
        checkout.recovery,
        "checkout.expired",
        why,
        detail,
    );
    Ok("closed a checkout".to_owned())
}
