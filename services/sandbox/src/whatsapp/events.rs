//! What Meta posts: what became of messages, and what payers write.

use serde::Deserialize;
use serde_json::{Value, json};

use super::digits;
use crate::clock;
use crate::state::State;
use crate::webhooks::{Event, Payload, Provider};

/// A message that was taken.
pub(super) struct Sent<'a> {
    pub(super) phone_number_id: &'a str,
    pub(super) wa_id: &'a str,
    pub(super) id: &'a str,
    /// The caller's own word on it.
    pub(super) data: Option<&'a str>,
}

/// It arrives.
pub(super) fn delivered(state: &State, sent: &Sent<'_>) {
    for status in ["sent", "delivered"] {
        state
            .webhooks
            .emit(&status_event(state, sent, status, None));
    }
}

/// It does not arrive, with that error.
pub(super) fn failed(state: &State, sent: &Sent<'_>, code: u32) {
    let event = status_event(state, sent, "failed", Some(code));
    state.webhooks.emit(&event);
}

fn status_event(state: &State, sent: &Sent<'_>, status: &str, code: Option<u32>) -> Event {
    let mut change = json!({
        "id": sent.id,
        "recipient_id": sent.wa_id,
        "status": status,
        "timestamp": clock::now().timestamp().to_string(),
    });
    if let Some(data) = sent.data {
        change["biz_opaque_callback_data"] = data.into();
    }
    if let Some(code) = code {
        change["errors"] = json!([{ "code": code, "title": "Message undeliverable" }]);
    }
    let kind = format!("message.{status}");
    event(
        state,
        sent.phone_number_id,
        kind,
        json!({ "statuses": [change] }),
    )
}

/// What a payer writes.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Inbound {
    pub(crate) phone_number_id: String,
    pub(crate) from: String,
    pub(crate) body: String,
}

/// Delivers a payer's message to the number's webhook; answers the event's id.
pub(crate) fn receive(state: &State, inbound: &Inbound) -> String {
    let from = digits(&inbound.from);
    let value = json!({
        "contacts": [{ "wa_id": from, "profile": { "name": "Payer" } }],
        "messages": [{
            "id": format!("wamid.{}", state.ids.next("HBgL", 40)),
            "from": from,
            "timestamp": clock::now().timestamp().to_string(),
            "type": "text",
            "text": { "body": inbound.body },
        }],
    });
    let kind = "message.received".to_owned();
    let event = event(state, &inbound.phone_number_id, kind, value);
    state.webhooks.emit(&event);
    event.id
}

fn event(state: &State, phone_number_id: &str, kind: String, mut value: Value) -> Event {
    value["messaging_product"] = "whatsapp".into();
    value["metadata"] =
        json!({ "display_phone_number": phone_number_id, "phone_number_id": phone_number_id });
    let payload = json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": "0", "changes": [{ "field": "messages", "value": value }] }],
    });
    Event {
        id: state.ids.next("wa_", 20),
        provider: Provider::Whatsapp,
        kind,
        account: phone_number_id.to_owned(),
        created: clock::now(),
        payload: Payload::Json(payload),
    }
}
