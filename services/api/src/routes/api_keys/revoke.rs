//! `DELETE /v1/auth/api-keys/{id}`

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use domain::id::ApiKeyId;
use serde_json::json;

use crate::app::Api;
use crate::auth::AdminAccess;
use crate::openapi::words;
use crate::problem::Problem;

/// Revokes a key at once.
#[utoipa::path(
    delete,
    path = "/v1/auth/api-keys/{id}",
    tag = "API keys",
    params(("id" = words::ApiKeyId, Path, description = "Which one.")),
    responses(
        (status = 204, description = "It is revoked."),
        (status = 404, description = "There is no such living key."),
    )
)]
pub(crate) async fn revoke(
    access: AdminAccess,
    id: Path<ApiKeyId>,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let mut tx = api.backbone.db.begin(access.caller.cause(&api)).await?;
    if !db::api_keys::revoke(&mut tx, access.tenant, *id).await? {
        tx.roll_back().await?;
        return Err(Problem::not_found("living API key"));
    }
    let (caller, object) = (&access.caller, id.to_string());
    caller
        .note(&mut tx, "api_key.revoked", &object, json!({}))
        .await?;
    tx.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}
