//! `POST /v1/webhook-deliveries/{id}/replay`: the same event to the same endpoint, once
//! more, under the same `webhook-id`.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use db::Tx;
use domain::id::WebhookDeliveryId;
use serde_json::json;

use super::DeliveryView;
use crate::app::Api;
use crate::auth::WriteAccess;
use crate::conduct::body::Body;
use crate::conduct::idempotency::{Reply, once};
use crate::openapi::parameters::IdempotencyKey;
use crate::openapi::words;
use crate::problem::Problem;
use crate::routes::webhook_endpoints::replay::sendable;

/// Sends an event to its endpoint once more.
///
/// It has the same id, by which a receiver knows it.
#[utoipa::path(
    post,
    path = "/v1/webhook-deliveries/{id}/replay",
    tag = "Webhook endpoints",
    params(("id" = words::WebhookDeliveryId, Path, description = "Which one."), IdempotencyKey),
    responses(
        (status = 202, description = "The new delivery, which is queued.", body = DeliveryView),
        (status = 404, description = "There is no such delivery, or its endpoint is gone."),
        (status = 409, description = "It has not ended, its endpoint is disabled, or the first request with this key is still being worked on."),
    )
)]
pub(crate) async fn replay(
    access: WriteAccess,
    id: Path<WebhookDeliveryId>,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let cause = access.caller.cause(&api);
    let reply = once(&api, access.tenant, &body, cause, async |tx| {
        queue(tx, &access, *id).await
    });
    Ok(reply.await?.respond())
}

async fn queue(tx: &mut Tx, access: &WriteAccess, id: WebhookDeliveryId) -> Result<Reply, Problem> {
    let tenant = access.tenant;
    let delivery = db::partners::delivery(tx.conn(), tenant, id).await?;
    let delivery = delivery.ok_or_else(|| Problem::not_found("webhook delivery"))?;
    sendable(tx, tenant, delivery.endpoint).await?;
    if !delivery.state.is_final() {
        let fault = format!("is {}: it is still on its way", delivery.state);
        return Err(Problem::conflict("state", fault));
    }
    let next = db::partners::again(tx, tenant, &delivery).await?;
    let next = next.ok_or_else(Problem::internal)?;
    let detail = json!({ "delivery_id": next });
    let (caller, object) = (&access.caller, id.to_string());
    caller
        .note(tx, "webhook_delivery.replayed", &object, detail)
        .await?;
    super::queued(tx, tenant, next).await
}
