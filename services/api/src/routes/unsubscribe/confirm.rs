//! `POST /unsubscribe/{token}`: the form's, and mail programs' one-click
//! (RFC 8058). Always 200: what the sender of a stale link wants holds anyway.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use domain::Channel;
use domain::token::{self, LinkToken};
use serde_json::json;

use crate::app::Api;
use crate::checkout::page::Notice;
use crate::problem::Problem;

pub(crate) async fn confirm(token: Path<String>, api: Data<Api>) -> Result<HttpResponse, Problem> {
    if let Ok(token) = LinkToken::parse(&token) {
        suppress(&api, &token).await?;
    }
    Ok(api.pages.notice(Notice::Unsubscribed))
}

async fn suppress(api: &Api, token: &LinkToken) -> Result<(), Problem> {
    let mut tx = api
        .backbone
        .db
        .begin(api.backbone.cause_by("payer"))
        .await?;
    let Some(link) = db::links::by_token_hash(tx.conn(), &token::hash(token)).await? else {
        return Ok(());
    };
    let tenant = link.tenant;
    let recovery = db::recoveries::find(tx.conn(), tenant, link.recovery).await?;
    let Some(recovery) = recovery else {
        return Ok(());
    };
    let transaction = db::transactions::find(tx.conn(), tenant, recovery.transaction).await?;
    let Some(address) = transaction.and_then(|found| found.known.payer_email) else {
        return Ok(());
    };
    let (now, email) = (tx.now(), Channel::Email);
    if db::suppressions::holds(tx.conn(), tenant, email, &address).await? {
        return Ok(());
    }
    db::suppressions::add(tx.conn(), tenant, email, &address, "unsubscribed", now).await?;
    let why = "The payer wants no more email";
    let detail = json!({ "channel": email });
    db::timeline::announce(
        &mut tx,
        tenant,
        recovery.id,
        "payer.unsubscribed",
        why,
        detail,
    )
    .await?;
    tx.commit().await?;
    Ok(())
}
