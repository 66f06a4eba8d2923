//! Events on their way to partners, and how it went.

pub(crate) mod replay;
pub(crate) mod show;

use actix_web::http::StatusCode;
use chrono::{DateTime, Utc};
use db::partners::StoredDelivery;
use db::{Tenant, Tx};
use domain::id::{PartnerEventId, WebhookDeliveryId, WebhookEndpointId};
use domain::partner::{DeliveryCause, DeliveryState};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use crate::conduct::idempotency::Reply;
use crate::openapi::words;
use crate::problem::Problem;

#[derive(OpenApi)]
#[openapi(paths(show::show, replay::replay))]
pub(crate) struct Documented;

/// One event on its way to one endpoint.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookDelivery)]
pub(crate) struct DeliveryView {
    #[schema(value_type = words::WebhookDeliveryId)]
    id: WebhookDeliveryId,
    #[schema(value_type = words::WebhookEndpointId)]
    endpoint_id: WebhookEndpointId,
    /// The event, and the `webhook-id` of every try.
    #[schema(value_type = words::PartnerEventId)]
    event_id: PartnerEventId,
    #[schema(example = "recovery.opened")]
    event_type: String,
    /// Why it is made.
    #[schema(value_type = words::DeliveryCause)]
    cause: DeliveryCause,
    #[schema(value_type = words::DeliveryState)]
    state: DeliveryState,
    /// How often it was tried.
    tries: u32,
    /// When it is tried next, while it waits.
    #[schema(required)]
    next_try_at: Option<DateTime<Utc>>,
    /// The status of the last answer.
    #[schema(required, value_type = Option<u16>)]
    last_status: Option<u16>,
    /// Why the last try had no answer.
    #[schema(required)]
    last_error: Option<String>,
    created_at: DateTime<Utc>,
    #[schema(required)]
    finished_at: Option<DateTime<Utc>>,
}

impl DeliveryView {
    pub(crate) fn new(delivery: StoredDelivery) -> Self {
        let waits = delivery.state == DeliveryState::Pending;
        Self {
            id: delivery.id,
            endpoint_id: delivery.endpoint,
            event_id: delivery.event,
            event_type: delivery.event_type,
            cause: delivery.cause,
            state: delivery.state,
            tries: delivery.tries,
            next_try_at: waits.then_some(delivery.due_at),
            last_status: delivery.last_status,
            last_error: delivery.last_error,
            created_at: delivery.created_at,
            finished_at: delivery.finished_at,
        }
    }
}

/// The answer that a delivery, made in this transaction, is on its way.
pub(crate) async fn queued(
    tx: &mut Tx,
    tenant: Tenant,
    id: WebhookDeliveryId,
) -> Result<Reply, Problem> {
    let queued = db::partners::delivery(tx.conn(), tenant, id).await?;
    let queued = queued.ok_or_else(Problem::internal)?;
    Reply::json(StatusCode::ACCEPTED, &DeliveryView::new(queued))
}
