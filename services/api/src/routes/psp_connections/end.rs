//! `DELETE /v1/psp-connections/{id}`: nothing new is begun over it.
//!
//! Failed payments that its webhooks report open no recovery any more. What is in
//! flight is carried through with the credentials that are kept: charges that are
//! planned, checkouts that payers have before them, and the webhooks that tell of
//! them. So a merchant ends the connection here first, and revokes the key at the
//! PSP when its last recovery has closed.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use domain::id::ConnectionId;
use serde_json::json;

use crate::app::Api;
use crate::auth::AdminAccess;
use crate::openapi::words;
use crate::problem::Problem;

/// Ends a PSP connection.
///
/// Recoveries in flight go on over it; no new ones are opened. Revoke the key at
/// the PSP once they have closed.
#[utoipa::path(
    delete,
    path = "/v1/psp-connections/{id}",
    tag = "Connections",
    params(("id" = words::ConnectionId, Path, description = "The connection.")),
    responses(
        (status = 204, description = "The connection has ended."),
        (status = 404, description = "There is no such connection, or it had ended."),
    ),
)]
pub(crate) async fn end(
    access: AdminAccess,
    id: Path<ConnectionId>,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let mut tx = api.backbone.db.begin(access.caller.cause(&api)).await?;
    if !db::connections::end(&mut tx, access.tenant, *id).await? {
        tx.roll_back().await?;
        return Err(Problem::not_found("living connection"));
    }
    let (caller, object) = (&access.caller, id.to_string());
    caller
        .note(&mut tx, "psp_connection.ended", &object, json!({}))
        .await?;
    tx.commit().await?;
    api.vault.forget(*id);
    Ok(HttpResponse::NoContent().finish())
}
