//! Dead letters as operators are shown them, by REST and by `tinkoctl` alike.

use chrono::{DateTime, Utc};
use contracts::Message;
use db::dead_letters::DeadLetter;
use domain::id::{OrganizationId, OutboxId, RecoveryId};
use serde::Serialize;
use serde_json::{Value, json};

use crate::work;

/// A dead letter with what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Its name.
    pub id: OutboxId,
    /// The stream that it belongs on.
    pub stream: String,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// The recovery that it is about.
    pub recovery_id: Option<RecoveryId>,
    /// When its cause committed.
    pub created_at: DateTime<Utc>,
    /// When it was given up.
    pub dead_at: DateTime<Utc>,
    /// Why.
    pub reason: String,
    /// The trace in which its cause and its deliveries are.
    pub trace_id: Option<String>,
    /// What it asks for; nothing where its bytes do not read.
    pub payload: Option<Value>,
    /// Why its bytes do not read.
    pub unreadable: Option<String>,
}

impl From<DeadLetter> for Shown {
    fn from(letter: DeadLetter) -> Self {
        let envelope = letter.envelope.as_ref().ok();
        Self {
            recovery_id: envelope.and_then(|envelope| envelope.message.recovery()),
            trace_id: envelope
                .and_then(|envelope| work::trace_of(envelope).trace_id().map(str::to_owned)),
            payload: envelope.map(|envelope| payload(&envelope.message)),
            unreadable: letter.envelope.err(),
            id: letter.id,
            stream: letter.stream,
            organization_id: letter.organization,
            created_at: letter.created_at,
            dead_at: letter.dead_at,
            reason: letter.reason,
        }
    }
}

fn payload(message: &Message) -> Value {
    match message {
        Message::FailureRecorded { recovery, failure } => json!({
            "message": "failure_recorded", "recovery_id": recovery, "failure_event_id": failure,
        }),
        Message::NotificationRequested {
            notification,
            recovery,
            channel,
        } => json!({
            "message": "notification_requested", "notification_id": notification,
            "recovery_id": recovery, "channel": channel.as_str(),
        }),
        Message::UserMailRequested { code } => json!({
            "message": "user_mail_requested", "user_code_id": code,
        }),
        Message::RecoveryEvent {
            event_id,
            kind,
            recovery,
            data,
            occurred_at,
        } => json!({
            "message": "recovery_event", "event_id": event_id, "type": kind,
            "recovery_id": recovery, "occurred_at": occurred_at,
            "data": serde_json::from_str::<Value>(data).unwrap_or_else(|_| data.as_str().into()),
        }),
    }
}
