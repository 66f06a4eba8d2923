//! `GET /v1/recon/runs?cursor=&limit=`, newest first.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};

use super::view::RunView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::Problem;
use crate::routes::page::{Asked, Page};

/// Lists comparisons, newest first.
#[utoipa::path(
    get,
    path = "/v1/recon/runs",
    tag = "Comparisons",
    params(Asked),
    responses(
        (status = 200, description = "One page.", body = Page<RunView>),
    )
)]
pub(crate) async fn list(
    access: ReadAccess,
    asked: Query<Asked>,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let wanted = asked.read()?;
    let mut conn = api.backbone.db.read().await?;
    let found = db::recon::list(&mut conn, access.tenant, wanted.cursor, wanted.rows()).await?;
    let rows = found.iter().map(|run| (run.id, RunView::new(run)));
    Ok(wanted.answer(&api, "/v1/recon/runs", rows.collect()))
}
