//! The envelope and its messages.

use chrono::{DateTime, Utc};
use domain::Channel;
use domain::id::{
    FailureEventId, NotificationId, OrganizationId, OutboxId, RecoveryId, UserCodeId,
};
use uuid::Uuid;

use crate::{DecodeError, Stream, convert};

/// One stream entry: what happened or is wanted, for whom, and in which trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The outbox row that this entry hands over.
    pub outbox: OutboxId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// When its cause committed; the wire keeps milliseconds.
    pub created_at: DateTime<Utc>,
    /// W3C Trace Context of the cause, as it came; never empty text.
    pub traceparent: Option<String>,
    /// W3C Trace Context, the vendors' part; never empty text.
    pub tracestate: Option<String>,
    /// What happened or is wanted.
    pub message: Message,
}

/// What happened or is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A failure event was recorded; its recovery wants a plan. Stream `failures`.
    FailureRecorded {
        /// The recovery that was opened or joined.
        recovery: RecoveryId,
        /// The failure event.
        failure: FailureEventId,
    },
    /// A message to a payer wants to be handed over. Stream `notifications:{channel}`.
    NotificationRequested {
        /// The notification's row.
        notification: NotificationId,
        /// Its recovery.
        recovery: RecoveryId,
        /// Its channel: said by the stream it lies on, not by the bytes.
        channel: Channel,
    },
    /// A mail to one of a merchant's people wants to be handed over. Stream `mails:users`.
    UserMailRequested {
        /// The code or link that it carries.
        code: UserCodeId,
    },
    /// Something that partners and analytics hear of. Stream `events`.
    RecoveryEvent {
        /// The event's own id: copies of an event carry the same one.
        event_id: Uuid,
        /// For example `recovery.opened` or `attempt.declined`; never empty.
        kind: String,
        /// The recovery it happened to.
        recovery: RecoveryId,
        /// What happened, a JSON object; carried, not parsed here.
        data: String,
        /// When it happened; the wire keeps milliseconds.
        occurred_at: DateTime<Utc>,
    },
}

impl Message {
    /// The stream it belongs on.
    pub const fn stream(&self) -> Stream {
        match self {
            Self::FailureRecorded { .. } => Stream::Failures,
            Self::NotificationRequested { channel, .. } => Stream::Notifications(*channel),
            Self::UserMailRequested { .. } => Stream::UserMails,
            Self::RecoveryEvent { .. } => Stream::Events,
        }
    }

    /// The recovery it is about; none where it is about one of a merchant's people.
    pub const fn recovery(&self) -> Option<RecoveryId> {
        match self {
            Self::FailureRecorded { recovery, .. }
            | Self::NotificationRequested { recovery, .. }
            | Self::RecoveryEvent { recovery, .. } => Some(*recovery),
            Self::UserMailRequested { .. } => None,
        }
    }
}

impl Envelope {
    /// Its bytes on the wire.
    pub fn encode(&self) -> Vec<u8> {
        convert::to_bytes(self)
    }

    /// The envelope that `bytes`, read from `stream`, hold.
    ///
    /// Fails, naming the field, on bytes that are no envelope or whose message
    /// does not belong on that stream. Trying again never helps.
    pub fn decode(bytes: &[u8], stream: Stream) -> Result<Self, DecodeError> {
        convert::from_bytes(bytes, stream)
    }

    /// The stream it belongs on.
    pub const fn stream(&self) -> Stream {
        self.message.stream()
    }

    /// What a split stream is split by: one recovery's entries stay on one shard, in
    /// order; mails to users have no order among themselves.
    pub const fn shard_key(&self) -> Uuid {
        match &self.message {
            Message::FailureRecorded { recovery, .. }
            | Message::NotificationRequested { recovery, .. }
            | Message::RecoveryEvent { recovery, .. } => recovery.uuid(),
            Message::UserMailRequested { code } => code.uuid(),
        }
    }
}
