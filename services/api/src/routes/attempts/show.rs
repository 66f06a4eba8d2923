//! `GET /v1/attempts/{id}`

use actix_web::web::{Data, Json, Path};
use domain::id::AttemptId;

use super::view::AttemptView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::conduct::observe;
use crate::openapi::words;
use crate::problem::Problem;

/// Shows an attempt.
#[utoipa::path(
    get,
    path = "/v1/attempts/{id}",
    tag = "Attempts",
    params(("id" = words::AttemptId, Path, description = "The attempt.")),
    responses(
        (status = 200, description = "The attempt.", body = AttemptView),
        (status = 404, description = "There is no such attempt."),
    ),
)]
pub(crate) async fn show(
    access: ReadAccess,
    id: Path<AttemptId>,
    api: Data<Api>,
) -> Result<Json<AttemptView>, Problem> {
    let mut conn = api.backbone.db.read().await?;
    let found = db::attempts::find(&mut conn, access.tenant, *id).await?;
    let found = found.ok_or_else(|| Problem::not_found("attempt"))?;
    observe::about_recovery(found.recovery);
    Ok(Json(AttemptView::new(found)))
}
