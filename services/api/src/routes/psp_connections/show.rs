//! `GET /v1/psp-connections/{id}`

use actix_web::web::{Data, Json, Path};
use domain::id::ConnectionId;

use super::view::ConnectionView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::openapi::words;
use crate::problem::Problem;

/// Shows a PSP connection.
#[utoipa::path(
    get,
    path = "/v1/psp-connections/{id}",
    tag = "Connections",
    params(("id" = words::ConnectionId, Path, description = "The connection.")),
    responses(
        (status = 200, description = "The connection.", body = ConnectionView),
        (status = 404, description = "There is no such connection."),
    ),
)]
pub(crate) async fn show(
    access: ReadAccess,
    id: Path<ConnectionId>,
    api: Data<Api>,
) -> Result<Json<ConnectionView>, Problem> {
    let mut conn = api.backbone.db.read().await?;
    let found = db::connections::find_managed(&mut conn, access.tenant, *id).await?;
    let found = found.ok_or_else(|| Problem::not_found("connection"))?;
    Ok(Json(ConnectionView::new(found, &api)))
}
