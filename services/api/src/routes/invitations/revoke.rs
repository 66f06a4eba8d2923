//! `DELETE /v1/users/invitations/{id}`: its link is void from now on.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use db::user_codes::invitations;
use domain::id::UserCodeId;
use serde_json::json;

use crate::app::Api;
use crate::auth::AdminAccess;
use crate::openapi::words;
use crate::problem::Problem;

/// Takes an invitation back.
#[utoipa::path(delete, path = "/v1/users/invitations/{id}", tag = "Users",
    params(("id" = words::UserCodeId, Path, description = "The invitation.")),
    responses(
        (status = 204, description = "Its link is void"),
        (status = 404, description = "There is no such invitation, or it was accepted"),
    ))]
pub(crate) async fn revoke(
    access: AdminAccess,
    id: Path<UserCodeId>,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let mut tx = api.backbone.db.begin(access.caller.cause(&api)).await?;
    if !invitations::revoke(&mut tx, access.tenant, *id).await? {
        tx.roll_back().await?;
        return Err(Problem::not_found("open invitation"));
    }
    let (caller, object) = (&access.caller, id.to_string());
    let action = "user.invitation_revoked";
    caller.note(&mut tx, action, &object, json!({})).await?;
    tx.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}
