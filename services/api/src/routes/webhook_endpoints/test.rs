//! `POST /v1/webhook-endpoints/{id}/test`: sends a test event, once, whatever the
//! endpoint's filter.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use db::Tx;
use db::partners::NewEvent;
use domain::id::{PartnerEvent, WebhookEndpointId};
use domain::partner::{DeliveryCause, EventType};
use partners::payload::{self, Stamp, particulars};
use serde_json::json;

use crate::app::Api;
use crate::auth::WriteAccess;
use crate::conduct::body::Body;
use crate::conduct::idempotency::{Reply, once};
use crate::openapi::parameters::IdempotencyKey;
use crate::openapi::words;
use crate::problem::Problem;
use crate::routes::webhook_deliveries::{self, DeliveryView};

/// Sends a test event to a webhook endpoint.
///
/// It is sent once, whatever the endpoint's event types; what came of it is in the
/// delivery.
#[utoipa::path(
    post,
    path = "/v1/webhook-endpoints/{id}/test",
    tag = "Webhook endpoints",
    params(("id" = words::WebhookEndpointId, Path, description = "Which one."), IdempotencyKey),
    responses(
        (status = 202, description = "It is queued.", body = DeliveryView),
        (status = 404, description = "There is no such endpoint."),
        (status = 409, description = "The endpoint is disabled, or the first request with this key is still being worked on."),
    )
)]
pub(crate) async fn test(
    access: WriteAccess,
    id: Path<WebhookEndpointId>,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let cause = access.caller.cause(&api);
    let reply = once(&api, access.tenant, &body, cause, async |tx| {
        queue(tx, &access, *id).await
    });
    Ok(reply.await?.respond())
}

async fn queue(tx: &mut Tx, access: &WriteAccess, id: WebhookEndpointId) -> Result<Reply, Problem> {
    let (tenant, kind) = (access.tenant, EventType::EndpointTest);
    super::replay::sendable(tx, tenant, id).await?;
    let stamp = Stamp {
        id: tx.new_id::<PartnerEvent>(),
        event: kind,
        at: tx.now(),
    };
    let test = particulars::EndpointTest {
        endpoint_id: id.to_string(),
        message: "A test: Tinko reaches this endpoint".to_owned(),
    };
    let payload = payload::endpoint_test(stamp, &test).map_err(|_| Problem::internal())?;
    let new = NewEvent {
        id: stamp.id,
        event: kind,
        recovery: None,
        payload: &payload,
        at: stamp.at,
    };
    db::partners::store(tx, tenant, &new).await?;
    let told = (stamp.id, kind);
    let queued = db::partners::tell(tx, tenant, told, &[id], DeliveryCause::Test).await?;
    let delivery = queued.first().copied().ok_or_else(Problem::internal)?;
    // A test is a probe: it does not wait for the end of a pause.
    db::partners::wake(tx, tenant, id).await?;
    let detail = json!({ "delivery_id": delivery });
    let (caller, object) = (&access.caller, id.to_string());
    caller
        .note(tx, "webhook_endpoint.tested", &object, detail)
        .await?;
    webhook_deliveries::queued(tx, tenant, delivery).await
}
