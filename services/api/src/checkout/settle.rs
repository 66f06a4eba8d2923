//! The payer is back from the PSP's page, perhaps before the PSP's webhook.

use db::checkouts::{self, StoredCheckout};
use db::recoveries::RecoveredBy;
use db::{ending, recoveries};
use psp::CheckoutStatus;

use super::{CheckoutError, Owed, psp_of};
use crate::app::Api;
use crate::ingest::paid_through;

/// How the payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Paid, and recorded.
    Paid,
    /// The PSP has not decided yet, or could not be asked.
    Underway,
    /// Not paid.
    Unpaid,
}

/// Asks the PSP where the recovery's checkout stands, and records a payment.
pub(crate) async fn settle(api: &Api, owed: &Owed) -> Result<Standing, CheckoutError> {
    let tenant = owed.link.tenant;
    let live = {
        let mut conn = api.backbone.db.read().await?;
        checkouts::live(&mut conn, tenant, owed.recovery.id).await?
    };
    let Some((checkout, reference)) = live.and_then(with_reference) else {
        return Ok(Standing::Unpaid);
    };
    let psp = psp_of(api, tenant, &checkout).await?;
    match psp.checkout_status(&reference).await {
        Ok(CheckoutStatus::Paid { payment }) => {
            record(api, owed, &checkout, &payment).await?;
            Ok(Standing::Paid)
        }
        Ok(CheckoutStatus::PaymentUnderway) => Ok(Standing::Underway),
        Ok(CheckoutStatus::Open | CheckoutStatus::Expired) => Ok(Standing::Unpaid),
        Err(error) => {
            tracing::warn!(%error, "where a checkout stands is left to its webhook");
            Ok(Standing::Underway)
        }
    }
}

fn with_reference(checkout: StoredCheckout) -> Option<(StoredCheckout, String)> {
    let reference = checkout.reference.clone()?;
    Some((checkout, reference))
}

/// The checkout was made for what is owed, so that is what was paid.
async fn record(
    api: &Api,
    owed: &Owed,
    checkout: &StoredCheckout,
    payment: &psp::PaymentRef,
) -> Result<(), CheckoutError> {
    let tenant = owed.link.tenant;
    let mut tx = api
        .backbone
        .db
        .begin(api.backbone.cause_by("payer"))
        .await?;
    let Some(recovery) = recoveries::lock(&mut tx, tenant, checkout.recovery).await? else {
        return Ok(());
    };
    let (provider, id) = (payment.provider, payment.id.as_str());
    let transaction = recovery.transaction;
    db::transactions::claim_objects(tx.conn(), tenant, provider, &[id], transaction).await?;
    let links = db::links::of_recovery(tx.conn(), tenant, recovery.id).await?;
    let used = links.into_iter().find(|link| link.id == checkout.link);
    let why = paid_through(used.map(|link| link.channel).as_deref());
    // So that its webhook is not taken for a second payment.
    let reference = checkout.reference.as_deref();
    let ids: Vec<&str> = std::iter::once(id).chain(reference).collect();
    db::received::record(&mut tx, tenant, provider, transaction, &ids).await?;
    let (amount, by, link) = (recovery.amount, RecoveredBy::Link, Some(checkout.link));
    ending::recovered(&mut tx, tenant, recovery.id, amount, by, link, &why).await?;
    tx.commit().await?;
    Ok(())
}
