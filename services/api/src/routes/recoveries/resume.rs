//! `POST /v1/recoveries/{id}/resume`

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use domain::id::RecoveryId;
use serde_json::json;

use super::{RecoveryView, open, shown};
use crate::app::Api;
use crate::auth::WriteAccess;
use crate::conduct::body::Body;
use crate::conduct::idempotency::{Reply, once};
use crate::openapi::parameters::IdempotencyKey;
use crate::openapi::words;
use crate::problem::Problem;

const WHY: &str = "Resumed by the merchant";

/// Goes on with a paused recovery: its next step is planned from now.
#[utoipa::path(
    post,
    path = "/v1/recoveries/{id}/resume",
    tag = "Recoveries",
    params(IdempotencyKey, ("id" = words::RecoveryId, Path, description = "The recovery.")),
    responses(
        (status = 200, description = "The recovery, resumed now or before.", body = RecoveryView),
        (status = 404, description = "There is no such recovery."),
        (status = 409, description = "It ended."),
    )
)]
pub(crate) async fn resume(
    access: WriteAccess,
    id: Path<RecoveryId>,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let (tenant, caller) = (access.tenant, &access.caller);
    let reply = once(&api, tenant, &body, caller.cause(&api), async |tx| {
        let recovery = open(tx, tenant, *id).await?;
        let changed = db::pausing::resume(tx, &recovery, psp::can_charge, WHY)
            .await?
            .is_some();
        if changed {
            let object = recovery.id.to_string();
            caller
                .note(tx, "recovery.resumed", &object, json!({}))
                .await?;
        }
        Reply::json(StatusCode::OK, &shown(tx.conn(), tenant, *id).await?)
    });
    Ok(reply.await?.respond())
}
