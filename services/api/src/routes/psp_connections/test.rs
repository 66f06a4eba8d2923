//! `POST /v1/psp-connections/{id}/test`: whether the PSP accepts what is kept.

use actix_web::web::{Data, Json, Path};
use domain::id::ConnectionId;
use domain::state::ConnectionCheck;
use serde_json::json;

use super::view::ConnectionView;
use super::{still_living, tried};
use crate::app::Api;
use crate::auth::AdminAccess;
use crate::openapi::words;
use crate::problem::Problem;

/// Asks the PSP whether it accepts a connection's credentials.
///
/// What it says is the answer's `status`: `verified`, `refused`, or `unreachable`
/// where it could not be asked.
#[utoipa::path(
    post,
    path = "/v1/psp-connections/{id}/test",
    tag = "Connections",
    params(("id" = words::ConnectionId, Path, description = "The connection.")),
    responses(
        (status = 200, description = "The connection, with what the PSP said.", body = ConnectionView),
        (status = 404, description = "There is no such connection."),
        (status = 409, description = "The connection has ended."),
    ),
)]
pub(crate) async fn test(
    access: AdminAccess,
    id: Path<ConnectionId>,
    api: Data<Api>,
) -> Result<Json<ConnectionView>, Problem> {
    let (tenant, nothing) = (access.tenant, || Problem::not_found("connection"));
    let (mut managed, psp) = {
        let mut conn = api.backbone.db.read().await?;
        let managed = db::connections::find_managed(&mut conn, tenant, *id).await?;
        let managed = still_living(managed)?;
        let stored = db::connections::find(&conn, tenant, Some(*id)).await?;
        (managed, api.vault.psp(&stored.ok_or_else(nothing)?)?)
    };
    let said: ConnectionCheck = tried::check(&psp).await;
    let mut tx = api.backbone.db.begin(access.caller.cause(&api)).await?;
    db::connections::note_check(&mut tx, tenant, *id, said).await?;
    let (caller, object) = (&access.caller, id.to_string());
    let detail = json!({ "status": said });
    caller
        .note(&mut tx, "psp_connection.tested", &object, detail)
        .await?;
    managed.check = said;
    managed.checked_at = Some(tx.now());
    tx.commit().await?;
    Ok(Json(ConnectionView::new(managed, &api)))
}
