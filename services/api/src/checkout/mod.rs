//! The payer's way: from the link to the PSP's page and back.
//!
//! - `visit`: what a link's token leads to, and what may be shown of it;
//! - `begin`: one live checkout for a recovery, never beside a charge;
//! - `settle`: asking the PSP when the payer is back before its webhook;
//! - `page`: the pages, `amount`: money as people write it.

pub mod amount;
mod begin;
mod means;
pub mod page;
mod settle;
mod visit;

use db::checkouts::StoredCheckout;
use db::{DbError, Tenant};
use psp::PspError;

pub(crate) use begin::{Begun, begin};
pub(crate) use settle::{Standing, settle};
pub(crate) use visit::{Owed, Visit, visit};

use crate::app::Api;
use crate::vault::VaultError;

/// Why the payer's way ends here for now.
#[derive(Debug, thiserror::Error)]
pub enum CheckoutError {
    /// Postgres.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The connection's credentials.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The PSP.
    #[error("the PSP did not open or tell of the checkout")]
    Psp(#[from] PspError),
    /// The organization has no PSP to pay at.
    #[error("the organization has no connection to a PSP")]
    NoConnection,
}

/// Closes a checkout at its PSP after its recovery ended, as well as it can be
/// done: the recovery is over in any case, and a payment that comes through
/// nevertheless is recorded by its webhook.
pub(crate) async fn close(api: &Api, tenant: Tenant, checkout: &StoredCheckout) {
    let Some(reference) = &checkout.reference else {
        return;
    };
    let closed = async {
        let psp = psp_of(api, tenant, checkout).await?;
        Ok::<_, CheckoutError>(psp.close_checkout(reference).await?)
    };
    match closed.await {
        Ok(closing) => tracing::info!(?closing, checkout.id = %checkout.id, "closed a checkout"),
        Err(error) => {
            tracing::warn!(%error, checkout.id = %checkout.id, "a checkout could not be closed");
        }
    }
}

async fn psp_of(
    api: &Api,
    tenant: Tenant,
    checkout: &StoredCheckout,
) -> Result<psp::Psp, CheckoutError> {
    let connection = {
        let conn = api.backbone.db.read().await?;
        db::connections::find(&conn, tenant, Some(checkout.connection)).await?
    };
    let connection = connection.ok_or(CheckoutError::NoConnection)?;
    Ok(api.vault.psp(&connection)?)
}
