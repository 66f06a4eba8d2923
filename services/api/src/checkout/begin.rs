//! Opening the PSP's page.
//!
//! A recovery has one live checkout at most, and none is begun while a charge or
//! another payment is under way, so that a payer cannot pay twice. Its id is the PSP's idempotency
//! key and every other field of the request follows from rows, so that two tabs,
//! or a try again after a time-out, reach the same page.

use chrono::TimeDelta;
use db::checkouts::{self, StoredCheckout};
use db::{Tx, attempts, connections, recoveries, timeline, transactions};
use domain::token;
use psp::{CheckoutRequest, HostedCheckout};
use serde_json::json;
use url::Url;

use super::page::Notice;
use super::{CheckoutError, Owed, close, means, psp_of};
use crate::app::Api;

/// How long the PSP's page is asked to stay open: a little over the shortest
/// that Stripe takes, since a shorter one lets a planned charge go on sooner.
const LIFE: TimeDelta = TimeDelta::minutes(41);

/// Where the payer goes next.
pub(crate) enum Begun {
    /// To the PSP's page.
    Go(Url),
    /// Nowhere, for this reason.
    Stop(Notice),
}

/// Begins a checkout, or finds the live one.
pub(crate) async fn begin(api: &Api, owed: &Owed) -> Result<Begun, CheckoutError> {
    let checkout = match reserve(api, owed).await? {
        Ok(checkout) => checkout,
        Err(notice) => return Ok(Begun::Stop(notice)),
    };
    if let Some(url) = checkout.url.as_deref().and_then(|url| Url::parse(url).ok()) {
        return Ok(Begun::Go(url));
    }
    let tenant = owed.link.tenant;
    let psp = psp_of(api, tenant, &checkout).await?;
    let hosted = psp.open_checkout(&request(api, owed, &checkout)).await?;
    if record(api, owed, &checkout, &hosted).await? {
        return Ok(Begun::Go(hosted.url));
    }
    // The recovery ended meanwhile: nobody may pay there.
    let orphan = StoredCheckout {
        reference: Some(hosted.reference),
        ..checkout
    };
    close(api, tenant, &orphan).await;
    Ok(Begun::Stop(Notice::Over))
}

async fn reserve(api: &Api, owed: &Owed) -> Result<Result<StoredCheckout, Notice>, CheckoutError> {
    let mut tx = api
        .backbone
        .db
        .begin(api.backbone.cause_by("payer"))
        .await?;
    let reserved = reserve_in(&mut tx, owed).await?;
    match &reserved {
        Ok(_) => tx.commit().await?,
        Err(_) => tx.roll_back().await?,
    }
    Ok(reserved)
}

async fn reserve_in(
    tx: &mut Tx,
    owed: &Owed,
) -> Result<Result<StoredCheckout, Notice>, CheckoutError> {
    let (tenant, id) = (owed.link.tenant, owed.recovery.id);
    let recovery = recoveries::lock(tx, tenant, id).await?;
    if !recovery.is_some_and(|recovery| recovery.state.is_open()) {
        return Ok(Err(Notice::Over));
    }
    let charge = attempts::charge_under_way(tx.conn(), tenant, id).await?;
    let now = tx.now();
    let underway = db::underway::rests_until(tx.conn(), tenant, id, now).await?;
    if charge.is_some() || underway.is_some() {
        return Ok(Err(Notice::Busy));
    }
    let wanted = owed.transaction.known.connection;
    let connection = connections::find(tx.conn(), tenant, wanted)
        .await?
        .ok_or(CheckoutError::NoConnection)?;
    let expires_at = tx.now() + LIFE;
    let (link, provider, connection) = (owed.link.id, connection.provider, connection.id);
    let begun = checkouts::begin(tx, tenant, id, link, connection, provider, expires_at).await?;
    Ok(Ok(begun))
}

/// The request, from rows only. The checkout may have been begun through another
/// link of the same recovery: its addresses are that link's.
fn request(api: &Api, owed: &Owed, checkout: &StoredCheckout) -> CheckoutRequest {
    let token = token::derive(&api.link_key, checkout.link);
    let page = format!("/pay/{}", token.expose());
    let transaction = &owed.transaction;
    CheckoutRequest {
        checkout: checkout.id,
        recovery: owed.recovery.id,
        transaction_ref: transaction.transaction_ref.to_string(),
        amount: owed.recovery.amount,
        description: format!("{} · {}", owed.merchant, transaction.transaction_ref),
        payer_email: transaction.known.payer_email.clone(),
        payer_phone: transaction.known.payer_phone.clone(),
        success_url: api.public_url(&format!("{page}/done")),
        cancel_url: api.public_url(&page),
        expires_at: checkout.expires_at,
        method_hint: means::first(&owed.classification, owed.recovery.amount),
    }
}

async fn record(
    api: &Api,
    owed: &Owed,
    checkout: &StoredCheckout,
    hosted: &HostedCheckout,
) -> Result<bool, CheckoutError> {
    let tenant = owed.link.tenant;
    let mut tx = api
        .backbone
        .db
        .begin(api.backbone.cause_by("payer"))
        .await?;
    let now = tx.now();
    let (reference, url) = (hosted.reference.as_str(), hosted.url.as_str());
    let expires_at = hosted.expires_at;
    let conn = tx.conn();
    if !checkouts::mark_open(conn, tenant, checkout.id, reference, url, expires_at, now).await? {
        tx.roll_back().await?;
        return Ok(false);
    }
    let (provider, transaction) = (checkout.provider, owed.transaction.id);
    transactions::claim_objects(tx.conn(), tenant, provider, &[reference], transaction).await?;
    let why = "The payer went to the payment page";
    let detail = json!({ "checkout_id": checkout.id, "provider": provider });
    timeline::announce(
        &mut tx,
        tenant,
        checkout.recovery,
        "checkout.started",
        why,
        detail,
    );
    tx.commit().await?;
    Ok(true)
}
