//! `DELETE /v1/webhook-endpoints/{id}`: its deliveries can still be looked at, one by one.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use domain::id::WebhookEndpointId;
use serde_json::json;

use crate::app::Api;
use crate::auth::AdminAccess;
use crate::openapi::words;
use crate::problem::Problem;

/// Deletes a webhook endpoint; what waits for it is not sent.
#[utoipa::path(
    delete,
    path = "/v1/webhook-endpoints/{id}",
    tag = "Webhook endpoints",
    params(("id" = words::WebhookEndpointId, Path, description = "Which one.")),
    responses(
        (status = 204, description = "It is deleted."),
        (status = 404, description = "There is no such endpoint."),
    )
)]
pub(crate) async fn delete(
    access: AdminAccess,
    id: Path<WebhookEndpointId>,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let mut tx = api.backbone.db.begin(access.caller.cause(&api)).await?;
    if !db::partners::delete(&mut tx, access.tenant, *id).await? {
        tx.roll_back().await?;
        return Err(Problem::not_found("webhook endpoint"));
    }
    let (caller, object) = (&access.caller, id.to_string());
    caller
        .note(&mut tx, "webhook_endpoint.deleted", &object, json!({}))
        .await?;
    tx.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}
