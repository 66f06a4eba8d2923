//! `POST /v1/links/{id}/revoke`: nobody pays through this link any more.
//!
//! What was to be sent with it is withdrawn, and a checkout that was begun through
//! it is closed at the PSP. The recovery goes on: its next message has a new link.

use actix_web::web::{Data, Json, Path};
use db::checkouts::StoredCheckout;
use db::links::StoredLink;
use db::{Tx, checkouts, links, notifications, timeline};
use domain::id::RecoveryLinkId;
use domain::{CheckoutState, LinkState};
use serde_json::json;

use super::view::LinkView;
use crate::app::Api;
use crate::auth::WriteAccess;
use crate::checkout;
use crate::conduct::observe;
use crate::openapi::words;
use crate::problem::Problem;

const WHY: &str = "The merchant withdrew the link";

/// Revokes a link.
#[utoipa::path(
    post,
    path = "/v1/links/{id}/revoke",
    tag = "Links",
    params(("id" = words::RecoveryLinkId, Path, description = "The link.")),
    responses(
        (status = 200, description = "The link is revoked; the same if it was before.", body = LinkView),
        (status = 404, description = "There is no such link."),
        (status = 409, description = "The link was paid through, or its time has passed."),
    ),
)]
pub(crate) async fn revoke(
    access: WriteAccess,
    id: Path<RecoveryLinkId>,
    api: Data<Api>,
) -> Result<Json<LinkView>, Problem> {
    let mut tx = api.backbone.db.begin(access.caller.cause(&api)).await?;
    let worked = withdraw(&access, &mut tx, *id).await;
    let (link, begun) = tx.end(worked).await?;
    if let Some(begun) = begun {
        checkout::close(&api, access.tenant, &begun).await;
    }
    let mut conn = api.backbone.db.read().await?;
    let transaction = db::transactions::of_recovery(&mut conn, access.tenant, link.recovery);
    let transaction = transaction.await?;
    let transaction = transaction.ok_or_else(|| Problem::not_found("link"))?;
    Ok(Json(LinkView::of(link, transaction.transaction_ref)))
}

/// The link, revoked, and the checkout that was begun through it.
async fn withdraw(
    access: &WriteAccess,
    tx: &mut Tx,
    id: RecoveryLinkId,
) -> Result<(StoredLink, Option<StoredCheckout>), Problem> {
    let tenant = access.tenant;
    let nothing = || Problem::not_found("link");
    let link = links::find(tx.conn(), tenant, id)
        .await?
        .ok_or_else(nothing)?;
    observe::about_recovery(link.recovery);
    // The recovery's row first, as everyone else does who ends links.
    db::recoveries::lock(tx, tenant, link.recovery).await?;
    let link = links::lock(tx, tenant, id).await?.ok_or_else(nothing)?;
    let revoked = StoredLink {
        state: LinkState::Revoked,
        ..link.clone()
    };
    if link.state == LinkState::Revoked {
        return Ok((revoked, None));
    }
    if !links::revoke(tx, tenant, id).await? {
        let state = match link.state {
            LinkState::Used => "used",
            _ => "expired",
        };
        let fault = format!("is {state}: nothing can be paid through it");
        return Err(Problem::conflict("state", fault));
    }
    notifications::withdraw_queued_with(tx, tenant, link.recovery, id, WHY).await?;
    let live = checkouts::live(tx.conn(), tenant, link.recovery).await?;
    let begun = live.filter(|live| live.link == id);
    if let Some(begun) = &begun {
        let now = tx.now();
        checkouts::end(tx.conn(), tenant, begun.id, CheckoutState::Closed, now).await?;
    }
    let detail = json!({ "link_id": id, "channel": link.channel });
    timeline::announce(tx, tenant, link.recovery, "link.revoked", WHY, detail);
    let (caller, object) = (&access.caller, id.to_string());
    let detail = json!({ "recovery_id": link.recovery });
    caller.note(tx, "link.revoked", &object, detail).await?;
    Ok((revoked, begun))
}
