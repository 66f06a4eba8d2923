//! The fields of a stream entry.

use std::collections::HashMap;

use contracts::{DecodeError, Envelope, Stream};
use redis::{Cmd, FromRedisValue, ParsingError, Value, from_redis_value};

use crate::keys::EntryId;

/// The field that holds the envelope's bytes. The others are for people.
pub(crate) const PAYLOAD: &str = "payload";

/// An entry as read.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) id: EntryId,
    pub(crate) fields: HashMap<String, Vec<u8>>,
}

/// Why an entry is no envelope.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("the entry has no field \"payload\"")]
    NoPayload,
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

impl Entry {
    pub(crate) fn envelope(&self, stream: Stream) -> Result<Envelope, Unreadable> {
        let bytes = self.fields.get(PAYLOAD).ok_or(Unreadable::NoPayload)?;
        Ok(Envelope::decode(bytes, stream)?)
    }
}

/// Entries in their order, as XRANGE, XCLAIM and each key of XREADGROUP give them.
#[derive(Debug, Default)]
pub(crate) struct Entries(pub(crate) Vec<Entry>);

impl FromRedisValue for Entries {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let rows: Vec<(EntryId, HashMap<String, Vec<u8>>)> = from_redis_value(value)?;
        let entries = rows.into_iter().map(|(id, fields)| Entry { id, fields });
        Ok(Self(entries.collect()))
    }
}

/// The XADD that puts an envelope on the stream at `key`.
pub(crate) fn add(key: &str, envelope: &Envelope) -> Cmd {
    let mut add = redis::cmd("XADD");
    add.arg(key).arg("*");
    add.arg("id").arg(envelope.outbox.to_string());
    add.arg("org").arg(envelope.organization.to_string());
    if let Some(traceparent) = &envelope.traceparent {
        add.arg("traceparent").arg(traceparent);
    }
    add.arg(PAYLOAD).arg(envelope.encode());
    add
}
