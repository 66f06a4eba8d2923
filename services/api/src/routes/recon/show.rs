//! `GET /v1/recon/runs/{id}`

use actix_web::web::{Data, Json, Path};
use domain::id::ReconRunId;

use super::view::RunView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::openapi::words;
use crate::problem::Problem;

/// Shows a comparison.
#[utoipa::path(
    get,
    path = "/v1/recon/runs/{id}",
    tag = "Comparisons",
    params(("id" = words::ReconRunId, Path, description = "Which one.")),
    responses(
        (status = 200, description = "The comparison.", body = RunView),
        (status = 404, description = "There is no such comparison."),
    )
)]
pub(crate) async fn show(
    access: ReadAccess,
    id: Path<ReconRunId>,
    api: Data<Api>,
) -> Result<Json<RunView>, Problem> {
    let mut conn = api.backbone.db.read().await?;
    let run = db::recon::find(&mut conn, access.tenant, *id).await?;
    let run = run.ok_or_else(|| Problem::not_found("comparison"))?;
    Ok(Json(RunView::new(&run)))
}
