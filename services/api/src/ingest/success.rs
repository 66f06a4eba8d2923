//! A payment succeeded: the recovery is over.

use db::checkouts::{self, StoredCheckout};
use db::received::Received;
use db::recoveries::{self, RecoveredBy, StoredRecovery};
use db::{DbError, Tenant, Tx, attempts, ending, links, timeline, transactions};
use domain::id::{RecoveryId, RecoveryLinkId, TransactionId};
use domain::{Channel, Provider, TransactionRef};
use psp::webhook::PaymentSucceeded;
use serde_json::json;

/// What came of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paid {
    /// The recovery ended with it.
    Recovered,
    /// The recovery had ended with the money before.
    Already,
    /// The recovery had ended with another payment before: one has to go back.
    Twice,
    /// It is in another currency than what is owed.
    OtherCurrency,
    /// Nothing is being recovered that it pays for.
    NothingOwed,
}

impl Paid {
    /// In words, as stored with a PSP's event.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Recovered => "ended the recovery: the money is there",
            Self::Already => "is of a recovery that was over already",
            Self::Twice => "is a second payment of what was paid before: one has to be refunded",
            Self::OtherCurrency => "is in another currency than what is owed, and changed nothing",
            Self::NothingOwed => "is of a payment that no recovery is about",
        }
    }
}

/// Records in this transaction that a payment succeeded, once.
pub async fn payment_succeeded(
    tx: &mut Tx,
    tenant: Tenant,
    paid: &PaymentSucceeded,
) -> Result<Paid, DbError> {
    let checkout = checkout(tx, tenant, paid).await?;
    let recovery = match &checkout {
        Some(checkout) => recoveries::lock(tx, tenant, checkout.recovery).await?,
        None => of_payment(tx, tenant, paid).await?,
    };
    let Some(recovery) = recovery else {
        return Ok(Paid::NothingOwed);
    };
    if recovery.amount.currency() != paid.amount.currency() {
        return Ok(Paid::OtherCurrency);
    }
    remember(tx, &recovery, paid).await?;
    let (by, link) = way(tx, &recovery, checkout, paid).await?;
    let why = why(tx, &recovery, by, link).await?;
    let (amount, id) = (paid.amount, recovery.id);
    let received = received(tx, &recovery, paid).await?;
    if ending::recovered(tx, tenant, id, amount, by, link, &why).await? {
        return Ok(Paid::Recovered);
    }
    if received != Received::Another {
        return Ok(Paid::Already);
    }
    twice(tx, &recovery, paid);
    Ok(Paid::Twice)
}

/// Whether this is the payment that is known of, by every id it has. An order of
/// Razorpay's is none of them: two payments of it are two.
async fn received(
    tx: &mut Tx,
    recovery: &StoredRecovery,
    paid: &PaymentSucceeded,
) -> Result<Received, DbError> {
    let ids: Vec<&str> = match paid.payment.provider {
        Provider::Stripe => objects(paid),
        Provider::Razorpay => vec![paid.payment.id.as_str()],
    };
    let (tenant, provider) = (recovery.tenant, paid.payment.provider);
    db::received::record(tx, tenant, provider, recovery.transaction, &ids).await
}

/// All that is done before a charge and a checkout is there to rule this out;
/// the merchant's own site may still be paid a second time.
fn twice(tx: &mut Tx, recovery: &StoredRecovery, paid: &PaymentSucceeded) {
    metrics::counter!("payments_twice_total").increment(1);
    let why = "A second payment came in for what was paid before: one has to be refunded";
    let detail = json!({
        "payment": paid.payment.id,
        "charge": paid.charge,
        "amount": paid.amount.minor(),
        "currency": paid.amount.currency().code(),
    });
    let (tenant, id) = (recovery.tenant, recovery.id);
    timeline::announce(tx, tenant, id, "payment.twice", why, detail);
}

/// The recovery of a payment. One that nothing is known of is noted, in case the
/// report of its failure comes later.
async fn of_payment(
    tx: &mut Tx,
    tenant: Tenant,
    paid: &PaymentSucceeded,
) -> Result<Option<StoredRecovery>, DbError> {
    let mut known = transaction(tx, tenant, paid).await?;
    if known.is_none() {
        let (provider, objects) = (paid.payment.provider, objects(paid));
        db::paid::take_turns(tx, tenant, provider, &objects).await?;
        known = transaction(tx, tenant, paid).await?;
        if known.is_none() {
            let paid = db::paid::Settled::Paid;
            db::paid::note(tx, tenant, provider, &objects, paid).await?;
        }
    }
    match known {
        Some(transaction) => recoveries::newest_of_transaction(tx, tenant, transaction).await,
        None => Ok(None),
    }
}

async fn checkout(
    tx: &mut Tx,
    tenant: Tenant,
    paid: &PaymentSucceeded,
) -> Result<Option<StoredCheckout>, DbError> {
    match &paid.checkout {
        Some(reference) => {
            checkouts::by_reference(tx.conn(), tenant, paid.payment.provider, reference).await
        }
        None => Ok(None),
    }
}

/// By what we know of the payment, then by what Tinko or the merchant wrote to it.
async fn transaction(
    tx: &mut Tx,
    tenant: Tenant,
    paid: &PaymentSucceeded,
) -> Result<Option<TransactionId>, DbError> {
    let hints = (paid.recovery_hint, paid.transaction_ref.as_deref());
    transaction_of(tx, tenant, paid.payment.provider, &objects(paid), hints).await
}

/// The transaction of a payment by its ids, else by what was written to it: our
/// recovery, the merchant's reference.
pub(super) async fn transaction_of(
    tx: &mut Tx,
    tenant: Tenant,
    provider: Provider,
    objects: &[&str],
    (recovery, reference): (Option<RecoveryId>, Option<&str>),
) -> Result<Option<TransactionId>, DbError> {
    if let Some(known) = transactions::by_object(tx.conn(), tenant, provider, objects).await? {
        return Ok(Some(known));
    }
    if let Some(hint) = recovery
        && let Some(recovery) = recoveries::find(tx.conn(), tenant, hint).await?
    {
        return Ok(Some(recovery.transaction));
    }
    let Some(Ok(reference)) = reference.map(TransactionRef::parse) else {
        return Ok(None);
    };
    let known = transactions::by_ref(tx.conn(), tenant, &reference).await?;
    Ok(known.map(|known| known.id))
}

pub(super) fn objects(paid: &PaymentSucceeded) -> Vec<&str> {
    let also = paid.also_known_as.iter().map(String::as_str);
    let optional = [&paid.charge, &paid.checkout];
    std::iter::once(paid.payment.id.as_str())
        .chain(also)
        .chain(optional.into_iter().flatten().map(String::as_str))
        .collect()
}

/// So that a refund or dispute of this payment is found later.
async fn remember(
    tx: &mut Tx,
    recovery: &StoredRecovery,
    paid: &PaymentSucceeded,
) -> Result<(), DbError> {
    let (tenant, provider) = (recovery.tenant, paid.payment.provider);
    let objects = objects(paid);
    transactions::claim_objects(tx.conn(), tenant, provider, &objects, recovery.transaction).await
}

/// By which way the money came. A checkout's intent may be heard of before the
/// checkout itself: then it carries our recovery and no attempt of ours.
async fn way(
    tx: &mut Tx,
    recovery: &StoredRecovery,
    checkout: Option<StoredCheckout>,
    paid: &PaymentSucceeded,
) -> Result<(RecoveredBy, Option<RecoveryLinkId>), DbError> {
    if let Some(checkout) = checkout {
        return Ok((RecoveredBy::Link, Some(checkout.link)));
    }
    if paid.attempt_hint.is_some() {
        return Ok((RecoveredBy::Charge, None));
    }
    let (tenant, id) = (recovery.tenant, recovery.id);
    if paid.recovery_hint == Some(id)
        && let Some(live) = checkouts::live(tx.conn(), tenant, id).await?
    {
        return Ok((RecoveredBy::Link, Some(live.link)));
    }
    let ours = attempts::charge_under_way(tx.conn(), tenant, id).await?;
    Ok(match ours {
        Some(_) => (RecoveredBy::Charge, None),
        None => (RecoveredBy::Elsewhere, None),
    })
}

async fn why(
    tx: &mut Tx,
    recovery: &StoredRecovery,
    by: RecoveredBy,
    link: Option<RecoveryLinkId>,
) -> Result<String, DbError> {
    Ok(match (by, link) {
        (RecoveredBy::Charge, _) => "A charge of the saved means went through".to_owned(),
        (RecoveredBy::Elsewhere, _) => "Paid by another way than Tinko's".to_owned(),
        (RecoveredBy::Link, None) => "Paid by the payer through a recovery link".to_owned(),
        (RecoveredBy::Link, Some(link)) => {
            let (tenant, id) = (recovery.tenant, recovery.id);
            let known = links::of_recovery(tx.conn(), tenant, id).await?;
            let channel = known.into_iter().find(|known| known.id == link);
            paid_through(channel.map(|link| link.channel).as_deref())
        }
    })
}

/// Says how the link that was paid through had reached the payer.
pub(crate) fn paid_through(channel: Option<&str>) -> String {
    let way = match channel.and_then(|name| name.parse().ok()) {
        Some(Channel::Email) => "sent by email",
        Some(Channel::Sms) => "sent by SMS",
        Some(Channel::WhatsApp) => "sent by WhatsApp",
        None => "that the merchant passed on",
    };
    format!("Paid by the payer through the link {way}")
}
