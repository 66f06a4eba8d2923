//! The webhooks that partners are sent, from the list of `partners::payload`.

use std::collections::BTreeMap;

use domain::id::{self, Kind};
use domain::partner::EventType;
use partners::payload::particulars::EndpointTest;
use partners::payload::{self, Described, Event};
use serde_json::{Map, Value, json};
use utoipa::PartialSchema;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{
    HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, PathItem,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::{ObjectBuilder, Ref, RefOr, Required, ResponseBuilder, Schema, Type};

const REFERENCE: &str = "#/components/schemas/";

/// The kinds of the ids in payloads, by their field.
const IDS: &[(&str, &str, &str)] = &[
    ("id", "PartnerEventId", id::PartnerEvent::PREFIX),
    ("recovery_id", "RecoveryId", id::Recovery::PREFIX),
    ("transaction_id", "TransactionId", id::Transaction::PREFIX),
    (
        "failure_event_id",
        "FailureEventId",
        id::FailureEvent::PREFIX,
    ),
    ("attempt_id", "AttemptId", id::Attempt::PREFIX),
    (
        "notification_id",
        "NotificationId",
        id::Notification::PREFIX,
    ),
    ("link_id", "RecoveryLinkId", id::RecoveryLink::PREFIX),
    ("checkout_id", "CheckoutId", id::Checkout::PREFIX),
    (
        "endpoint_id",
        "WebhookEndpointId",
        id::WebhookEndpoint::PREFIX,
    ),
];

/// A path item for each type of event.
pub(super) fn all() -> BTreeMap<String, PathItem> {
    let all = payload::all().into_iter();
    all.map(|described| (described.event.to_string(), item(&described)))
        .collect()
}

/// The schemas of their bodies.
pub(super) fn schemas() -> Vec<(String, RefOr<Schema>)> {
    let all = payload::all().into_iter();
    all.filter_map(|described| Some((schema_name(described.event), body(&described)?)))
        .collect()
}

/// As `RecoveryOpenedWebhook`.
fn schema_name(event: EventType) -> String {
    joined(event) + "Webhook"
}

/// An event's words as one, `RecoveryOpened`.
fn joined(event: EventType) -> String {
    let mut name = String::new();
    for word in event.as_str().split(['.', '_']) {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

fn body(described: &Described) -> Option<RefOr<Schema>> {
    let mut whole = serde_json::to_value(Event::<EndpointTest>::schema()).ok()?;
    let fields = &mut whole["properties"];
    fields["type"] = json!({ "type": "string", "enum": [described.event.as_str()] });
    fields["version"] = json!({ "type": "integer", "enum": [described.version] });
    fields["data"] = serde_json::to_value(&described.data).ok()?;
    whole["description"] = json!(described.summary);
    name_all_ids(&mut whole);
    serde_json::from_value(whole).ok()
}

fn name_all_ids(part: &mut Value) {
    match part {
        Value::Object(fields) => {
            fields.values_mut().for_each(name_all_ids);
            if let Some(Value::Object(properties)) = fields.get_mut("properties") {
                name_ids(properties);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(name_all_ids),
        _ => {}
    }
}

fn name_ids(properties: &mut Map<String, Value>) {
    for (field, kind, _) in IDS {
        let Some(property) = properties.get_mut(*field) else {
            continue;
        };
        let about = property["description"].take();
        let id = json!({ "$ref": format!("{REFERENCE}{kind}"), "description": about });
        *property = if property["type"].is_array() {
            json!({ "oneOf": [{ "type": "null" }, id] })
        } else {
            id
        };
    }
}

fn item(described: &Described) -> PathItem {
    let event = described.event;
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(schema_name(event))))
        .example(Some(payload::example(event)))
        .build();
    let body = RequestBodyBuilder::new()
        .content("application/json", content)
        .required(Some(Required::True))
        .build();
    let answer = |about: &str| ResponseBuilder::new().description(about).build();
    let operation = OperationBuilder::new()
        .tag("Webhook endpoints")
        .summary(Some(described.summary))
        .operation_id(Some(format!("webhook{}", joined(event))))
        .parameters(Some(headers()))
        .request_body(Some(body))
        .response(
            "2XX",
            answer("It was taken. Whatever is in the body is not read."),
        )
        .response("410", answer("The endpoint is gone: it is disabled."))
        .response(
            "default",
            answer("It was not taken, and is sent again later."),
        );
    PathItem::new(HttpMethod::Post, operation.build())
}

/// Those of Standard Webhooks 1.0.0.
fn headers() -> Vec<utoipa::openapi::path::Parameter> {
    let header = |name: &str, about: &str, schema: ObjectBuilder, example: Value| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Header)
            .required(Required::True)
            .description(Some(about))
            .schema(Some(schema))
            .example(Some(example))
            .build()
    };
    let text = || ObjectBuilder::new().schema_type(Type::String);
    vec![
        header(
            "webhook-id",
            "The event's id, the same in every copy of it: take each once.",
            text(),
            json!("evt_019a6b0e5c7d7000a1b2c3d4e5f60718"),
        ),
        header(
            "webhook-timestamp",
            "When it was signed, in seconds since 1970. Refuse what is more than five minutes away from now.",
            ObjectBuilder::new().schema_type(Type::Integer),
            json!(1_764_324_000),
        ),
        header(
            "webhook-signature",
            "Signatures of `{webhook-id}.{webhook-timestamp}.{body}`, with spaces between them while a secret is being \
             replaced: `v1,` and an HMAC-SHA256 in base64, or `v1a,` and an Ed25519 signature. One that verifies is enough.",
            text(),
            json!("v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_in_an_example_is_of_the_kind_that_its_schema_says() {
        fn look(value: &Value, seen: &mut usize) {
            for (field, value) in value.as_object().into_iter().flatten() {
                let kind = IDS.iter().find(|(name, ..)| name == field);
                if let Some((.., prefix)) = kind
                    && let Some(text) = value.as_str()
                {
                    assert!(text.starts_with(&format!("{prefix}_")), "{field}: {text}");
                    *seen += 1;
                }
                look(value, seen);
            }
        }
        let mut seen = 0;
        for described in payload::all() {
            look(&payload::example(described.event), &mut seen);
        }
        assert!(seen > 40, "{seen}");
    }
}
