//! `GET /v1/suppressions?channel=&address=&cursor=&limit=`, newest first.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use domain::id::Suppression;

use super::SuppressionView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::Problem;
use crate::routes::address_page::Filter;
use crate::routes::page::{Asked, Page};

/// Lists addresses that must not be written to, newest first.
#[utoipa::path(
    get,
    path = "/v1/suppressions",
    tag = "Consent",
    params(Filter, Asked),
    responses((status = 200, description = "One page.", body = Page<SuppressionView>))
)]
pub(crate) async fn list(
    access: ReadAccess,
    filter: Query<Filter>,
    asked: Query<Asked>,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let (page, wanted) = filter.read::<Suppression>(&asked)?;
    let mut conn = api.backbone.db.read().await?;
    let found = db::suppressions::list(&mut conn, access.tenant, &wanted).await?;
    let rows = found
        .into_iter()
        .map(|found| (found.id, SuppressionView::new(&found, &access.caller)));
    Ok(page.answer_of(&api, "/v1/suppressions", &filter.pairs(), rows.collect()))
}
