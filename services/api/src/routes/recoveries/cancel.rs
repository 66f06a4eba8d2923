//! `POST /v1/recoveries/{id}/cancel`: the merchant wants no more of it.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use db::Tx;
use db::recoveries::StoredRecovery;
use domain::RecoveryState;
use domain::id::RecoveryId;
use serde_json::json;

use super::{RecoveryView, shown};
use crate::app::Api;
use crate::auth::WriteAccess;
use crate::checkout;
use crate::conduct::body::Body;
use crate::conduct::idempotency::{Reply, once};
use crate::openapi::parameters::IdempotencyKey;
use crate::openapi::words;
use crate::problem::Problem;

const WHY: &str = "Cancelled by the merchant";

/// Ends a recovery: nothing more is charged or written, and its links end.
#[utoipa::path(
    post,
    path = "/v1/recoveries/{id}/cancel",
    tag = "Recoveries",
    params(IdempotencyKey, ("id" = words::RecoveryId, Path, description = "The recovery.")),
    responses(
        (status = 200, description = "The recovery, cancelled now or before.", body = RecoveryView),
        (status = 404, description = "There is no such recovery."),
        (status = 409, description = "It ended otherwise."),
    )
)]
pub(crate) async fn cancel(
    access: WriteAccess,
    id: Path<RecoveryId>,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let tenant = access.tenant;
    let mut live = None;
    let cause = api.backbone.cause_by("merchant");
    let reply = once(&api, tenant, &body, cause, async |tx| {
        let recovery = db::recoveries::lock(tx, tenant, *id).await?;
        let recovery = recovery.ok_or_else(|| Problem::not_found("recovery"))?;
        live = db::checkouts::live(tx.conn(), tenant, recovery.id).await?;
        end(tx, &access, &recovery).await
    })
    .await?;
    if let Some(live) = live {
        checkout::close(&api, tenant, &live).await;
    }
    Ok(reply.respond())
}

async fn end(
    tx: &mut Tx,
    access: &WriteAccess,
    recovery: &StoredRecovery,
) -> Result<Reply, Problem> {
    let (tenant, id) = (access.tenant, recovery.id);
    let cancelled = RecoveryState::Cancelled;
    let changed = db::ending::ended(tx, tenant, id, cancelled, WHY).await?;
    if !changed && recovery.state != cancelled {
        let fault = format!("is {} already", recovery.state);
        return Err(Problem::conflict("state", fault));
    }
    if changed {
        let (caller, object) = (&access.caller, id.to_string());
        caller
            .note(tx, "recovery.cancelled", &object, json!({}))
            .await?;
    }
    Reply::json(StatusCode::OK, &shown(tx.conn(), tenant, id).await?)
}
