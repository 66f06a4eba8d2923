//! Between the envelope and the generated types: every check on foreign bytes is here.

use chrono::{DateTime, Utc};
use domain::Id;
use domain::id::Kind;
use prost::Message as _;
use uuid::Uuid;

use crate::wire::envelope::Payload;
use crate::{DecodeError, Envelope, Message, Stream, wire};

pub(crate) fn to_bytes(envelope: &Envelope) -> Vec<u8> {
    wire::Envelope {
        outbox_id: id_bytes(envelope.outbox),
        organization_id: id_bytes(envelope.organization),
        created_at_ms: envelope.created_at.timestamp_millis(),
        traceparent: envelope.traceparent.clone().unwrap_or_default(),
        tracestate: envelope.tracestate.clone().unwrap_or_default(),
        payload: Some(payload(&envelope.message)),
    }
    .encode_to_vec()
}

pub(crate) fn from_bytes(bytes: &[u8], stream: Stream) -> Result<Envelope, DecodeError> {
    let wire = wire::Envelope::decode(bytes)?;
    Ok(Envelope {
        outbox: id(&wire.outbox_id, "outbox_id")?,
        organization: id(&wire.organization_id, "organization_id")?,
        created_at: time(wire.created_at_ms, "created_at_ms")?,
        traceparent: Some(wire.traceparent).filter(|text| !text.is_empty()),
        tracestate: Some(wire.tracestate).filter(|text| !text.is_empty()),
        message: message(wire.payload.ok_or(DecodeError::NoMessage)?, stream)?,
    })
}

fn payload(message: &Message) -> Payload {
    match message {
        Message::FailureRecorded { recovery, failure } => {
            Payload::FailureRecorded(wire::FailureRecorded {
                recovery_id: id_bytes(*recovery),
                failure_event_id: id_bytes(*failure),
            })
        }
        Message::NotificationRequested {
            notification,
            recovery,
            channel: _,
        } => Payload::NotificationRequested(wire::NotificationRequested {
            notification_id: id_bytes(*notification),
            recovery_id: id_bytes(*recovery),
        }),
        Message::UserMailRequested { code } => {
            Payload::UserMailRequested(wire::UserMailRequested {
                user_code_id: id_bytes(*code),
            })
        }
        Message::RecoveryEvent {
            event_id,
            kind,
            recovery,
            data,
            occurred_at,
        } => Payload::RecoveryEvent(wire::RecoveryEvent {
            event_id: event_id.as_bytes().to_vec(),
            r#type: kind.clone(),
            recovery_id: id_bytes(*recovery),
            data_json: data.clone(),
            occurred_at_ms: occurred_at.timestamp_millis(),
        }),
    }
}

fn message(payload: Payload, stream: Stream) -> Result<Message, DecodeError> {
    match (payload, stream) {
        (Payload::FailureRecorded(it), Stream::Failures) => Ok(Message::FailureRecorded {
            recovery: id(&it.recovery_id, "failure_recorded.recovery_id")?,
            failure: id(&it.failure_event_id, "failure_recorded.failure_event_id")?,
        }),
        (Payload::NotificationRequested(it), Stream::Notifications(channel)) => {
            Ok(Message::NotificationRequested {
                notification: id(
                    &it.notification_id,
                    "notification_requested.notification_id",
                )?,
                recovery: id(&it.recovery_id, "notification_requested.recovery_id")?,
                channel,
            })
        }
        (Payload::UserMailRequested(it), Stream::UserMails) => Ok(Message::UserMailRequested {
            code: id(&it.user_code_id, "user_mail_requested.user_code_id")?,
        }),
        (Payload::RecoveryEvent(it), Stream::Events) => Ok(Message::RecoveryEvent {
            event_id: uuid(&it.event_id, "recovery_event.event_id")?,
            kind: text(it.r#type, "recovery_event.type")?,
            recovery: id(&it.recovery_id, "recovery_event.recovery_id")?,
            data: text(it.data_json, "recovery_event.data_json")?,
            occurred_at: time(it.occurred_at_ms, "recovery_event.occurred_at_ms")?,
        }),
        (payload, stream) => Err(DecodeError::WrongStream {
            field: field_of(&payload),
            stream,
        }),
    }
}

const fn field_of(payload: &Payload) -> &'static str {
    match payload {
        Payload::FailureRecorded(_) => "failure_recorded",
        Payload::NotificationRequested(_) => "notification_requested",
        Payload::UserMailRequested(_) => "user_mail_requested",
        Payload::RecoveryEvent(_) => "recovery_event",
    }
}

fn id_bytes<K: Kind>(id: Id<K>) -> Vec<u8> {
    id.uuid().as_bytes().to_vec()
}

fn id<K: Kind>(bytes: &[u8], field: &'static str) -> Result<Id<K>, DecodeError> {
    uuid(bytes, field).map(Id::from_uuid)
}

fn uuid(bytes: &[u8], field: &'static str) -> Result<Uuid, DecodeError> {
    Uuid::from_slice(bytes).map_err(|_| DecodeError::BadId {
        field,
        length: bytes.len(),
    })
}

fn text(text: String, field: &'static str) -> Result<String, DecodeError> {
    if text.is_empty() {
        return Err(DecodeError::Empty { field });
    }
    Ok(text)
}

fn time(millis: i64, field: &'static str) -> Result<DateTime<Utc>, DecodeError> {
    DateTime::from_timestamp_millis(millis).ok_or(DecodeError::BadTime { field, millis })
}
