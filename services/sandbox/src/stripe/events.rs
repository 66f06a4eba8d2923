//! Stripe's event objects.

use serde_json::{Value, json};

use super::call::Call;
use crate::webhooks::{Event, Payload, Provider};

/// The version that events and objects are shaped after.
pub(crate) const API_VERSION: &str = "2025-08-27.basil";

/// An event of `kind` about `object`, caused by this call.
pub(crate) fn event(call: &Call<'_>, kind: &str, object: &Value) -> Event {
    let id = call.ids.stripe("evt_");
    let payload = json!({
        "id": id,
        "object": "event",
        "api_version": API_VERSION,
        "created": call.now.timestamp(),
        "data": { "object": object },
        "livemode": false,
        "pending_webhooks": 1,
        "request": { "id": call.request_id, "idempotency_key": call.idempotency_key },
        "type": kind,
    });
    Event {
        id,
        provider: Provider::Stripe,
        kind: kind.to_owned(),
        account: call.account.id.clone(),
        created: call.now,
        payload: Payload::Json(payload),
    }
}
