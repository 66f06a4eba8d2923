//! An event as `CloudEvents` 1.0 writes it in JSON
//! (<https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md>).

use chrono::SecondsFormat;
use contracts::{Envelope, Message};
use runtime::trace::TraceContext;
use serde::Serialize;
use serde_json::Value;

/// The structured mode's media type.
pub(super) const MEDIA_TYPE: &str = "application/cloudevents+json";

#[derive(Serialize)]
struct CloudEvent<'a> {
    specversion: &'static str,
    id: String,
    source: &'static str,
    r#type: &'a str,
    subject: String,
    time: String,
    datacontenttype: &'static str,
    organizationid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tracestate: Option<&'a str>,
    data: Value,
}

/// The envelope's event in bytes. Fails, with a sentence, on one whose data is no JSON.
pub(super) fn of(envelope: &Envelope, trace: &TraceContext) -> Result<Vec<u8>, String> {
    let Message::RecoveryEvent {
        event_id,
        kind,
        recovery,
        data,
        occurred_at,
    } = &envelope.message
    else {
        return Err("the envelope carries no event".to_owned());
    };
    let data: Value = serde_json::from_str(data)
        .map_err(|fault| format!("the event's data is no JSON: {fault}"))?;
    let event = CloudEvent {
        specversion: "1.0",
        id: event_id.to_string(),
        source: "tinko",
        r#type: kind,
        subject: recovery.to_string(),
        time: occurred_at.to_rfc3339_opts(SecondsFormat::Millis, true),
        datacontenttype: "application/json",
        organizationid: envelope.organization.to_string(),
        traceparent: trace.traceparent.as_deref(),
        tracestate: trace.tracestate.as_deref(),
        data,
    };
    serde_json::to_vec(&event).map_err(|fault| format!("the event cannot be written: {fault}"))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use domain::Id;
    use uuid::Uuid;

    use super::*;

    fn envelope(data: &str) -> Envelope {
        Envelope {
            outbox: Id::from_uuid(Uuid::from_u128(1)),
            organization: Id::from_uuid(Uuid::from_u128(2)),
            created_at: DateTime::UNIX_EPOCH,
            traceparent: None,
            tracestate: None,
            message: Message::RecoveryEvent {
                event_id: Uuid::from_u128(3),
                kind: "message.sent".to_owned(),
                recovery: Id::from_uuid(Uuid::from_u128(4)),
                data: data.to_owned(),
                occurred_at: DateTime::UNIX_EPOCH,
            },
        }
    }

    #[test]
    fn an_event_has_the_attributes_that_cloudevents_asks_for() {
        let trace = TraceContext {
            traceparent: Some(format!("00-{}-{}-01", "a".repeat(32), "b".repeat(16))),
            tracestate: None,
        };
        let bytes = of(&envelope(r#"{"channel":"email"}"#), &trace).unwrap();
        insta::assert_snapshot!(String::from_utf8(bytes).unwrap());
    }

    #[test]
    fn data_that_is_no_json_is_refused() {
        assert!(of(&envelope("{"), &TraceContext::default()).is_err());
    }
}
