//! What lies on `tinko:events`, as its consumer handles it.

use chrono::{DateTime, Utc};
use contracts::{Envelope, Message};
use domain::id::{OutboxId, RecoveryId};
use uuid::Uuid;

use crate::Tenant;

/// Something that happened to a recovery, and that is owed to whoever hears of it.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// Whose it is.
    pub tenant: Tenant,
    /// The outbox row whose deletion settles it.
    pub outbox: OutboxId,
    /// Its own id: copies carry the same one.
    pub id: Uuid,
    /// What, as a dotted word: `recovery.opened`.
    pub kind: &'a str,
    /// What it happened to.
    pub recovery: RecoveryId,
    /// Particulars, a JSON object.
    pub data: &'a str,
    /// When, to the millisecond.
    pub at: DateTime<Utc>,
}

impl<'a> Event<'a> {
    /// The event that an envelope carries, if it carries one.
    pub fn of(envelope: &'a Envelope) -> Option<Self> {
        let Message::RecoveryEvent {
            event_id,
            kind,
            recovery,
            data,
            occurred_at,
        } = &envelope.message
        else {
            return None;
        };
        Some(Self {
            tenant: Tenant::of_envelope(envelope),
            outbox: envelope.outbox,
            id: *event_id,
            kind,
            recovery: *recovery,
            data,
            at: *occurred_at,
        })
    }
}
