//! `GET /v1/webhook-endpoints/{id}`

use actix_web::web::{Data, Json, Path};
use domain::id::WebhookEndpointId;

use super::view::EndpointView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::openapi::words;
use crate::problem::Problem;

/// Shows a webhook endpoint.
#[utoipa::path(
    get,
    path = "/v1/webhook-endpoints/{id}",
    tag = "Webhook endpoints",
    params(("id" = words::WebhookEndpointId, Path, description = "Which one.")),
    responses(
        (status = 200, description = "The endpoint.", body = EndpointView),
        (status = 404, description = "There is no such endpoint."),
    )
)]
pub(crate) async fn show(
    access: ReadAccess,
    id: Path<WebhookEndpointId>,
    api: Data<Api>,
) -> Result<Json<EndpointView>, Problem> {
    let mut conn = api.backbone.db.read().await?;
    let found = db::partners::find(&mut conn, access.tenant, *id).await?;
    let found = found.ok_or_else(|| Problem::not_found("webhook endpoint"))?;
    Ok(Json(EndpointView::new(found, api.backbone.clock.now())))
}
