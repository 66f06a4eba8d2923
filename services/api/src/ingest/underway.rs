//! A payment is on its way: the recovery rests until it has arrived or not.

use chrono::TimeDelta;
use db::recoveries::{self, StoredRecovery};
use db::underway::{self, Underway};
use db::{DbError, Tenant, Tx, paid, timeline, transactions};
use domain::Provider;
use domain::id::TransactionId;
use psp::webhook::{PaymentSucceeded, UnsettledPayment};
use serde_json::json;

use super::fact::checkout_expired;
use super::{Connection, FailureReport, Ingested};

/// How long a payment may be on its way before nobody waits for it any more.
/// Razorpay gives back what nobody captured within 5 days
/// (<https://razorpay.com/docs/payments/payments/late-authorisation/handle>).
/// Stripe's means that take days take up to 14 business days
/// (<https://docs.stripe.com/payments/bacs-debit>, and BECS alike less), cards
/// stay authorized for 7.
const fn patience(provider: Provider) -> TimeDelta {
    match provider {
        Provider::Razorpay => TimeDelta::days(6),
        Provider::Stripe => TimeDelta::days(21),
    }
}

const BEGUN: &str =
    "A payment is on its way: nothing is charged or sent until it has arrived or not";
const RELEASED: &str = "The payment that was on its way came to nothing: the recovery goes on";

/// A payment was authorized, or made by a means that takes days.
pub(super) async fn begun(
    tx: &mut Tx,
    connection: Connection,
    unsettled: &UnsettledPayment,
) -> Result<String, DbError> {
    let tenant = connection.tenant;
    let objects = objects(unsettled);
    let transaction = whose(tx, tenant, unsettled, &objects).await?;
    let provider = unsettled.payment.provider;
    if let Some(transaction) = transaction {
        // So that its end is found, and a refund or dispute later.
        transactions::claim_objects(tx.conn(), tenant, provider, &objects, transaction).await?;
    }
    let underway = row(tx, unsettled, transaction);
    if !underway::begin(tx, tenant, &underway).await? {
        return Ok("was known: the payment is on its way, or was".to_owned());
    }
    let Some(recovery) = open(tx, tenant, transaction).await? else {
        return Ok("is of a payment that no open recovery is about".to_owned());
    };
    let detail = detail(unsettled, &underway);
    timeline::announce(tx, tenant, recovery.id, "payment.underway", BEGUN, detail);
    Ok("lets the recovery rest: a payment is on its way".to_owned())
}

/// It came to nothing.
pub(super) async fn released(
    tx: &mut Tx,
    connection: Connection,
    unsettled: &UnsettledPayment,
) -> Result<String, DbError> {
    let tenant = connection.tenant;
    if let Some(checkout) = &unsettled.checkout {
        // Handed in once, the page takes no second payment.
        checkout_expired(tx, connection, checkout).await?;
    }
    let objects = objects(unsettled);
    let transaction = whose(tx, tenant, unsettled, &objects).await?;
    let underway = row(tx, unsettled, transaction);
    let Some(until) = underway::end(tx, tenant, &underway).await? else {
        return Ok("is of a payment that was not on its way".to_owned());
    };
    let Some(recovery) = open(tx, tenant, transaction).await? else {
        return Ok("is of a payment that no open recovery is about".to_owned());
    };
    db::attempts::resume(tx, tenant, recovery.id, until).await?;
    let detail = detail(unsettled, &underway);
    timeline::announce(
        tx,
        tenant,
        recovery.id,
        "payment.released",
        RELEASED,
        detail,
    );
    Ok("lets the recovery go on: the payment came to nothing".to_owned())
}

/// It arrived: what comes of that is told elsewhere.
pub(super) async fn arrived(
    tx: &mut Tx,
    tenant: Tenant,
    paid: &PaymentSucceeded,
) -> Result<(), DbError> {
    let now = tx.now();
    let ids = std::iter::once(&paid.payment.id).chain(&paid.checkout);
    for payment in ids {
        let underway = Underway {
            provider: paid.payment.provider,
            payment,
            bill: None,
            transaction: None,
            until: now,
        };
        underway::end(tx, tenant, &underway).await?;
    }
    Ok(())
}

/// A failure made its transaction known: a payment of it may be on its way since
/// before that.
pub(super) async fn adopt(
    tx: &mut Tx,
    connection: Connection,
    report: &FailureReport,
    ingested: &Ingested,
) -> Result<(), DbError> {
    let (tenant, Some((provider, objects))) = (connection.tenant, &report.objects) else {
        return Ok(());
    };
    let objects: Vec<&str> = objects.iter().map(String::as_str).collect();
    let transaction = ingested.transaction;
    let until = underway::adopt(tx, tenant, *provider, &objects, transaction).await?;
    if let (Some(until), Some(recovery)) = (until, ingested.recovery) {
        let detail = json!({ "until": until });
        timeline::announce(tx, tenant, recovery, "payment.underway", BEGUN, detail);
    }
    Ok(())
}

/// Whose payment it is. One that nothing is known of waits for its failure, whose
/// report takes turns with this one.
async fn whose(
    tx: &mut Tx,
    tenant: Tenant,
    unsettled: &UnsettledPayment,
    objects: &[&str],
) -> Result<Option<TransactionId>, DbError> {
    let provider = unsettled.payment.provider;
    let hints = (
        unsettled.recovery_hint,
        unsettled.transaction_ref.as_deref(),
    );
    let known = super::success::transaction_of(tx, tenant, provider, objects, hints).await?;
    if known.is_some() {
        return Ok(known);
    }
    paid::take_turns(tx, tenant, provider, objects).await?;
    transactions::by_object(tx.conn(), tenant, provider, objects).await
}

async fn open(
    tx: &mut Tx,
    tenant: Tenant,
    transaction: Option<TransactionId>,
) -> Result<Option<StoredRecovery>, DbError> {
    let Some(transaction) = transaction else {
        return Ok(None);
    };
    let newest = recoveries::newest_of_transaction(tx, tenant, transaction).await?;
    Ok(newest.filter(|recovery| recovery.state.is_open()))
}

fn objects(unsettled: &UnsettledPayment) -> Vec<&str> {
    std::iter::once(unsettled.payment.id.as_str())
        .chain(unsettled.also_known_as.iter().map(String::as_str))
        .collect()
}

fn row<'a>(
    tx: &Tx,
    unsettled: &'a UnsettledPayment,
    transaction: Option<TransactionId>,
) -> Underway<'a> {
    let provider = unsettled.payment.provider;
    Underway {
        provider,
        payment: &unsettled.payment.id,
        bill: unsettled.also_known_as.first().map(String::as_str),
        transaction,
        until: tx.now() + patience(provider),
    }
}

fn detail(unsettled: &UnsettledPayment, underway: &Underway<'_>) -> serde_json::Value {
    json!({
        "payment": unsettled.payment.id,
        "amount": unsettled.amount.minor(),
        "currency": unsettled.amount.currency().code(),
        "until": underway.until,
    })
}
