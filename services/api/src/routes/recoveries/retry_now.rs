//! `POST /v1/recoveries/{id}/retry-now`: the next step, as soon as the rules allow.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use domain::id::RecoveryId;
use serde_json::json;

use super::asked::{AskedView, planned};
use super::open;
use crate::app::Api;
use crate::auth::WriteAccess;
use crate::conduct::body::Body;
use crate::conduct::idempotency::{Reply, once};
use crate::openapi::parameters::IdempotencyKey;
use crate::openapi::words;
use crate::problem::Problem;

/// Takes the next step as soon as the rules allow, without the policy's delay.
#[utoipa::path(
    post,
    path = "/v1/recoveries/{id}/retry-now",
    tag = "Recoveries",
    params(IdempotencyKey, ("id" = words::RecoveryId, Path, description = "The recovery.")),
    responses(
        (status = 200, description = "The step, and what makes it later than now.", body = AskedView),
        (status = 404, description = "There is no such recovery."),
        (status = 409, description = "It ended, is paused, an attempt is being made, or no step is left."),
    )
)]
pub(crate) async fn retry(
    access: WriteAccess,
    id: Path<RecoveryId>,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let (tenant, caller) = (access.tenant, &access.caller);
    let reply = once(&api, tenant, &body, caller.cause(&api), async |tx| {
        let recovery = open(tx, tenant, *id).await?;
        let now = tx.now();
        let step = planned(tx, &recovery, now).await?;
        let object = recovery.id.to_string();
        caller
            .note(tx, "recovery.retried", &object, json!({}))
            .await?;
        Reply::json(StatusCode::OK, &step)
    });
    Ok(reply.await?.respond())
}
