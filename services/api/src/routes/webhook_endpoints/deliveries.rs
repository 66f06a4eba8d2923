//! `GET /v1/webhook-endpoints/{id}/deliveries?state=&cursor=&limit=`, newest first.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use domain::id::{WebhookDelivery, WebhookEndpointId};
use domain::partner::DeliveryState;
use domain::state::UnknownName;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::app::Api;
use crate::auth::ReadAccess;
use crate::openapi::words;
use crate::problem::Problem;
use crate::routes::page::{Asked, Page};
use crate::routes::webhook_deliveries::DeliveryView;

/// Which deliveries are asked for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only those that stand so.
    #[param(value_type = Option<words::DeliveryState>)]
    state: Option<String>,
}

/// Lists deliveries to a webhook endpoint, newest first.
#[utoipa::path(
    get,
    path = "/v1/webhook-endpoints/{id}/deliveries",
    tag = "Webhook endpoints",
    params(("id" = words::WebhookEndpointId, Path, description = "Which one."), Filter, Asked),
    responses(
        (status = 200, description = "One page.", body = Page<DeliveryView>),
        (status = 404, description = "There is no such endpoint."),
    )
)]
pub(crate) async fn list(
    access: ReadAccess,
    id: Path<WebhookEndpointId>,
    filter: Query<Filter>,
    asked: Query<Asked>,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let page = asked.read::<WebhookDelivery>()?;
    let state = filter.state.as_deref().map(str::parse).transpose();
    let state: Option<DeliveryState> =
        state.map_err(|fault: UnknownName| Problem::invalid_field("state", fault.to_string()))?;
    let tenant = access.tenant;
    let mut conn = api.backbone.db.read().await?;
    if db::partners::find(&mut conn, tenant, *id).await?.is_none() {
        return Err(Problem::not_found("webhook endpoint"));
    }
    let (before, rows) = (page.cursor, page.rows());
    let found = db::partners::deliveries(&mut conn, tenant, *id, state, before, rows).await?;
    let path = format!("/v1/webhook-endpoints/{}/deliveries", *id);
    let filters = [("state", state.map(DeliveryState::as_str))];
    let rows = found
        .into_iter()
        .map(|delivery| (delivery.id, DeliveryView::new(delivery)));
    Ok(page.answer_of(&api, &path, &filters, rows.collect()))
}
