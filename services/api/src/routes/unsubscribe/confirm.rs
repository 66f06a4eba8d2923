//! `POST /unsubscribe/{token}`: the form's, and mail programs' one-click
//! (RFC 8058). Always 200: what the sender of a stale link wants holds anyway.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use db::{DbError, Tx};
use domain::token::{self, LinkToken};
use domain::{Channel, PayerAddress, SuppressionReason};
use serde_json::json;

use crate::app::Api;
use crate::checkout::page::Notice;
use crate::problem::Problem;

/// Writes to the payer by email no more.
#[utoipa::path(
    post,
    path = "/unsubscribe/{token}",
    tag = "Payer",
    params(("token" = String, Path, description = "The link's token.", example = "zZ9rxknmw7uyb0LTsydcTWLArNpW-4UE")),
    responses(
        (status = 200, description = "Whatever the token: what is wanted holds anyway.", content_type = "text/html", body = String),
        (status = 500, description = "Something went wrong on Tinko's side."),
        (status = 503, description = "The service is short of something for a moment."),
    )
)]
pub(crate) async fn confirm(token: Path<String>, api: Data<Api>) -> Result<HttpResponse, Problem> {
    if let Ok(token) = LinkToken::parse(&token) {
        suppress(&api, &token).await?;
    }
    Ok(api.pages.notice(Notice::Unsubscribed))
}

async fn suppress(api: &Api, token: &LinkToken) -> Result<(), Problem> {
    let cause = api.backbone.cause_by("payer");
    let mut tx = api.backbone.db.begin(cause).await?;
    if suppress_in(&mut tx, token).await? {
        tx.commit().await?;
    } else {
        tx.roll_back().await?;
    }
    Ok(())
}

/// Whether there was somebody to write to no more.
async fn suppress_in(tx: &mut Tx, token: &LinkToken) -> Result<bool, DbError> {
    let Some(link) = db::links::by_token_hash(tx.conn(), &token::hash(token)).await? else {
        return Ok(false);
    };
    let tenant = link.tenant;
    let Some(recovery) = db::recoveries::find(tx.conn(), tenant, link.recovery).await? else {
        return Ok(false);
    };
    let transaction = db::transactions::find(tx.conn(), tenant, recovery.transaction).await?;
    let Some(address) = transaction.and_then(|found| found.known.payer_email) else {
        return Ok(false);
    };
    let Ok(contact) = PayerAddress::parse(Channel::Email, &address) else {
        return Ok(false);
    };
    let reason = SuppressionReason::Unsubscribed;
    if !db::suppressions::add(tx, tenant, &contact, reason, None).await? {
        return Ok(false);
    }
    let why = "The payer wants no more email";
    let detail = json!({ "channel": Channel::Email });
    db::timeline::announce(tx, tenant, recovery.id, "payer.unsubscribed", why, detail);
    Ok(true)
}
