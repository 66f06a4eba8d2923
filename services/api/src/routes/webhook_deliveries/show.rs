//! `GET /v1/webhook-deliveries/{id}`: with the body that is sent, and each try.

use actix_web::web::{Data, Json, Path};
use chrono::{DateTime, Utc};
use db::partners::StoredTry;
use domain::id::WebhookDeliveryId;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::DeliveryView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::openapi::words;
use crate::problem::Problem;

/// Most tries shown: the schedule has ten, and processes may end in between.
const MOST_TRIES: i64 = 100;

/// A delivery with what was sent, and each try.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookDeliveryWithTries)]
pub(crate) struct WholeView {
    #[serde(flatten)]
    delivery: DeliveryView,
    /// The body, byte for byte: signatures are over it.
    #[schema(required)]
    request_body: Option<String>,
    /// The first one first.
    attempts: Vec<TryView>,
}

/// One request, and what was answered.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookTry)]
struct TryView {
    /// Which one, from 1.
    number: u32,
    at: DateTime<Utc>,
    /// How long it took; null if the process that sent it ended meanwhile.
    #[schema(required)]
    duration_ms: Option<i32>,
    /// The headers that were sent; of signatures the scheme alone.
    #[schema(value_type = Object)]
    request_headers: Value,
    #[schema(required, value_type = Option<u16>)]
    status: Option<u16>,
    /// The first 4 KiB of the answer.
    #[schema(required)]
    answer: Option<String>,
    /// Why there was no answer.
    #[schema(required)]
    error: Option<String>,
    /// The trace under which it was made.
    #[schema(required)]
    trace_id: Option<String>,
}

impl TryView {
    fn new(made: StoredTry) -> Self {
        Self {
            number: made.number,
            at: made.at,
            duration_ms: made.duration_ms,
            request_headers: made.request_headers,
            status: made.status,
            answer: made.answer,
            error: made.error,
            trace_id: made.trace_id,
        }
    }
}

/// Shows a webhook delivery: what was sent, and each try.
#[utoipa::path(
    get,
    path = "/v1/webhook-deliveries/{id}",
    tag = "Webhook endpoints",
    params(("id" = words::WebhookDeliveryId, Path, description = "Which one.")),
    responses(
        (status = 200, description = "The delivery.", body = WholeView),
        (status = 404, description = "There is no such delivery."),
    )
)]
pub(crate) async fn show(
    access: ReadAccess,
    id: Path<WebhookDeliveryId>,
    api: Data<Api>,
) -> Result<Json<WholeView>, Problem> {
    let tenant = access.tenant;
    let mut conn = api.backbone.db.read().await?;
    let delivery = db::partners::delivery(&mut conn, tenant, *id).await?;
    let delivery = delivery.ok_or_else(|| Problem::not_found("webhook delivery"))?;
    let request_body = db::partners::payload(&mut conn, tenant, delivery.event).await?;
    let tries = db::partners::tries(&mut conn, tenant, *id, MOST_TRIES).await?;
    Ok(Json(WholeView {
        delivery: DeliveryView::new(delivery),
        request_body,
        attempts: tries.into_iter().map(TryView::new).collect(),
    }))
}
