//! `GET /v1/recon/runs/{id}`

use actix_web::web::{Data, Json, Path};
use domain::id::ReconRunId;

use super::view::RunView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::Problem;

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
