//! `DELETE /v1/auth/api-keys/{id}`

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use domain::id::ApiKeyId;
use serde_json::json;

use crate::app::Api;
use crate::auth::AdminAccess;
use crate::problem::Problem;

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
