//! `DELETE /v1/auth/sessions/{id}`: a session of one's own, or for administrators of
//! anybody's in the organization.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use db::Tx;
use db::sessions::EndedBy;
use domain::id::UserSessionId;
use serde_json::json;

use crate::app::Api;
use crate::auth::UserAccess;
use crate::auth::scope::Scope;
use crate::openapi::words;
use crate::problem::Problem;

/// Ends a session: one of one's own, or for administrators anybody's.
#[utoipa::path(
    delete,
    path = "/v1/auth/sessions/{id}",
    tag = "Sessions",
    params(("id" = words::UserSessionId, Path, description = "Which one.")),
    responses(
        (status = 204, description = "It has ended."),
        (status = 404, description = "No such session goes on."),
    )
)]
pub(crate) async fn end(
    access: UserAccess,
    id: Path<UserSessionId>,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let mut tx = api.backbone.db.begin(access.caller.cause(&api)).await?;
    let worked = revoke(&mut tx, &access, *id).await;
    tx.end(worked).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn revoke(tx: &mut Tx, access: &UserAccess, id: UserSessionId) -> Result<(), Problem> {
    let not_found = || Problem::not_found("session that goes on");
    let owner = db::sessions::owner(tx.conn(), access.tenant, id).await?;
    // Who may not end another's session is not told that there is one.
    let owner = owner
        .filter(|owner| *owner == access.user || access.caller.may(Scope::Admin))
        .ok_or_else(not_found)?;
    if !db::sessions::end(tx, access.tenant, id, EndedBy::Revoked).await? {
        return Err(not_found());
    }
    let (object, detail) = (
        id.to_string(),
        json!({ "user_id": owner, "why": "revoked" }),
    );
    access
        .caller
        .note(tx, "session.ended", &object, detail)
        .await?;
    Ok(())
}
