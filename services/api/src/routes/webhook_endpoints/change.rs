//! `PATCH /v1/webhook-endpoints/{id}`: what is left out stays.

use actix_web::web::{Data, Json, Path};
use db::partners::Change;
use domain::id::WebhookEndpointId;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::asked::Said;
use super::view::EndpointView;
use crate::app::Api;
use crate::auth::AdminAccess;
use crate::conduct::body::Body;
use crate::openapi::words;
use crate::problem::Problem;

/// What to change of a webhook endpoint; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookEndpointChange)]
pub(crate) struct Wanted {
    /// Where events are sent.
    #[schema(max_length = 2048)]
    url: Option<String>,
    /// The owner's own words.
    #[schema(max_length = 512)]
    description: Option<String>,
    /// What to send.
    #[schema(min_items = 1, max_items = 32)]
    event_types: Option<Vec<String>>,
    /// Whether to send. Disabled, it loses what waits for it (replay it by its time);
    /// enabled, it starts in good health.
    enabled: Option<bool>,
}

/// Changes a webhook endpoint; what is left out stays.
#[utoipa::path(
    patch,
    path = "/v1/webhook-endpoints/{id}",
    tag = "Webhook endpoints",
    params(("id" = words::WebhookEndpointId, Path, description = "Which one.")),
    request_body = Wanted,
    responses(
        (status = 200, description = "The endpoint as it is now.", body = EndpointView),
        (status = 404, description = "There is no such endpoint."),
    )
)]
pub(crate) async fn change(
    access: AdminAccess,
    id: Path<WebhookEndpointId>,
    body: Body,
    api: Data<Api>,
) -> Result<Json<EndpointView>, Problem> {
    let wanted: Wanted = body.json()?;
    let said = Said {
        url: wanted.url.as_deref(),
        description: wanted.description.as_deref(),
        event_types: wanted.event_types.as_deref(),
    };
    let read = said.read(&api).await?;
    let change = Change {
        url: read.url.as_ref().map(partners::EndpointUrl::as_str),
        description: read.description.as_deref(),
        filter: read.filter.as_ref(),
        enabled: wanted.enabled,
    };
    let mut tx = api.backbone.db.begin(access.caller.cause(&api)).await?;
    let Some(changed) = db::partners::change(&mut tx, access.tenant, *id, &change).await? else {
        tx.roll_back().await?;
        return Err(Problem::not_found("webhook endpoint"));
    };
    let detail = json!({
        "host": read.url.as_ref().and_then(|url| url.url().host_str()),
        "event_types": wanted.event_types,
        "enabled": wanted.enabled,
    });
    let (caller, object) = (&access.caller, id.to_string());
    caller
        .note(&mut tx, "webhook_endpoint.changed", &object, detail)
        .await?;
    let now = tx.now();
    tx.commit().await?;
    Ok(Json(EndpointView::new(changed, now)))
}
