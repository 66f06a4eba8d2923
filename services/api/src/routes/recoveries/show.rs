//! `GET /v1/recoveries/{id}`

use actix_web::web::{Data, Json, Path};
use domain::id::RecoveryId;

use super::shown;
use super::view::RecoveryView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::openapi::words;
use crate::problem::Problem;

/// One recovery.
#[utoipa::path(
    get,
    path = "/v1/recoveries/{id}",
    tag = "Recoveries",
    params(("id" = words::RecoveryId, Path, description = "The recovery.")),
    responses(
        (status = 200, description = "The recovery.", body = RecoveryView),
        (status = 404, description = "There is no such recovery."),
    )
)]
pub(crate) async fn show(
    access: ReadAccess,
    id: Path<RecoveryId>,
    api: Data<Api>,
) -> Result<Json<RecoveryView>, Problem> {
    let mut conn = api.backbone.db.read().await?;
    Ok(Json(shown(&mut conn, access.tenant, *id).await?))
}
