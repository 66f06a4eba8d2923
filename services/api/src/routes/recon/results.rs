//! `GET /v1/recon/runs/{id}/results?cursor=&limit=`: what differed and what could
//! not be told, in the order in which it was found. What is ok is only counted.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use domain::id::{ReconRunId, TransactionId};

use super::view::ResultView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::openapi::words;
use crate::problem::Problem;
use crate::routes::page::{Asked, Page};

/// Lists what differed and what could not be told, in the order in which it was found.
#[utoipa::path(
    get,
    path = "/v1/recon/runs/{id}/results",
    tag = "Comparisons",
    params(("id" = words::ReconRunId, Path, description = "Which one."), Asked),
    responses(
        (status = 200, description = "One page.", body = Page<ResultView>),
        (status = 404, description = "There is no such comparison."),
    )
)]
pub(crate) async fn list(
    access: ReadAccess,
    id: Path<ReconRunId>,
    asked: Query<Asked>,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let wanted = asked.read()?;
    let (tenant, id) = (access.tenant, *id);
    let mut conn = api.backbone.db.read().await?;
    if db::recon::find(&mut conn, tenant, id).await?.is_none() {
        return Err(Problem::not_found("comparison"));
    }
    let found = db::recon::results(&mut conn, tenant, id, wanted.cursor, wanted.rows()).await?;
    let transactions: Vec<TransactionId> = found.iter().map(|found| found.transaction).collect();
    let refs = db::transactions::refs_of(&mut conn, tenant, &transactions).await?;
    let rows = found.into_iter().map(|found| {
        let reference = refs.get(&found.transaction).cloned();
        (found.id, ResultView::new(found, reference))
    });
    let path = format!("/v1/recon/runs/{id}/results");
    Ok(wanted.answer(&api, &path, rows.collect()))
}
