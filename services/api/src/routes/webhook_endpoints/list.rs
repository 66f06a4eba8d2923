//! `GET /v1/webhook-endpoints?cursor=&limit=`, newest first.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use domain::id::WebhookEndpoint;

use super::view::EndpointView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::Problem;
use crate::routes::page::{Asked, Page};

/// Lists webhook endpoints, newest first.
#[utoipa::path(
    get,
    path = "/v1/webhook-endpoints",
    tag = "Webhook endpoints",
    params(Asked),
    responses((status = 200, description = "One page.", body = Page<EndpointView>))
)]
pub(crate) async fn list(
    access: ReadAccess,
    asked: Query<Asked>,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let page = asked.read::<WebhookEndpoint>()?;
    let mut conn = api.backbone.db.read().await?;
    let found = db::partners::list(&mut conn, access.tenant, page.cursor, page.rows()).await?;
    let now = api.backbone.clock.now();
    let rows = found
        .into_iter()
        .map(|endpoint| (endpoint.id, EndpointView::new(endpoint, now)));
    Ok(page.answer(&api, "/v1/webhook-endpoints", rows.collect()))
}
