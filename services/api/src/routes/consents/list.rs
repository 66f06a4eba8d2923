//! `GET /v1/consents?channel=&address=&cursor=&limit=`, newest first.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use domain::id::Consent;

use super::ConsentView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::Problem;
use crate::routes::address_page::Filter;
use crate::routes::page::{Asked, Page};

/// Lists what payers have said, newest first.
#[utoipa::path(
    get,
    path = "/v1/consents",
    tag = "Consent",
    params(Filter, Asked),
    responses(
        (status = 200, description = "One page.", body = Page<ConsentView>),
    )
)]
pub(crate) async fn list(
    access: ReadAccess,
    filter: Query<Filter>,
    asked: Query<Asked>,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let (page, wanted) = filter.read::<Consent>(&asked)?;
    let mut conn = api.backbone.db.read().await?;
    let found = db::consents::list(&mut conn, access.tenant, &wanted).await?;
    let rows = found
        .into_iter()
        .map(|consent| (consent.id, ConsentView::new(consent, &access.caller)));
    Ok(page.answer_of(&api, "/v1/consents", &filter.pairs(), rows.collect()))
}
