//! Names of keys, and ids of entries.

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use contracts::{Envelope, Stream};

/// Where the streams lie.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    prefix: String,
    shards: NonZeroU16,
}

impl Keys {
    /// What every key begins with.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(crate) fn new(prefix: String, shards: NonZeroU16) -> Self {
        Self { prefix, shards }
    }

    /// The numbers of the shards.
    pub(crate) fn shards(&self) -> std::ops::Range<u16> {
        0..self.shards.get()
    }

    /// The shard that an envelope belongs on: its key modulo the number of shards.
    /// The low bits of a `UUIDv7` are random, so that this spreads evenly.
    pub(crate) fn shard_of(&self, envelope: &Envelope) -> u16 {
        let shard = envelope.shard_key().as_u128() % u128::from(self.shards.get());
        u16::try_from(shard).unwrap_or_default()
    }

    /// The key of one shard of a stream.
    pub(crate) fn live(&self, stream: Stream, shard: u16) -> String {
        let prefix = &self.prefix;
        if self.shards == NonZeroU16::MIN {
            format!("{prefix}:{stream}")
        } else {
            format!("{prefix}:{stream}:{{{shard}}}")
        }
    }

    /// The key of that shard's dead letters; in a cluster it lies on the same node.
    pub(crate) fn dead(&self, stream: Stream, shard: u16) -> String {
        format!("{}:dead", self.live(stream, shard))
    }
}

/// The id that Redis gave an entry: the server's time in milliseconds and a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct EntryId {
    millis: u64,
    sequence: u64,
}

impl EntryId {
    /// When Redis made it, by its clock.
    pub(crate) fn at(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(i64::try_from(self.millis).ok()?)
    }

    /// Whether it is `0-0`, which no entry has: a group that has delivered nothing is there.
    pub(crate) const fn is_start(self) -> bool {
        self.millis == 0 && self.sequence == 0
    }

    pub(crate) const fn millis(self) -> u64 {
        self.millis
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.millis, self.sequence)
    }
}

/// Text that is no entry's id.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoEntryId;

impl FromStr for EntryId {
    type Err = NoEntryId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (millis, sequence) = text.split_once('-').ok_or(NoEntryId)?;
        Ok(Self {
            millis: millis.parse().map_err(|_| NoEntryId)?,
            sequence: sequence.parse().map_err(|_| NoEntryId)?,
        })
    }
}

impl redis::FromRedisValue for EntryId {
    fn from_redis_value(value: redis::Value) -> Result<Self, redis::ParsingError> {
        let text: String = redis::from_redis_value(value)?;
        text.parse()
            .map_err(|NoEntryId| format!("{text:?} is not an entry's id").into())
    }
}

impl redis::ToRedisArgs for EntryId {
    fn write_redis_args<W: ?Sized + redis::RedisWrite>(&self, out: &mut W) {
        out.write_arg_fmt(self);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_shard_has_the_plain_key_and_several_have_hash_tags() {
        let one = Keys::new("tinko".to_owned(), NonZeroU16::MIN);
        assert_eq!(one.live(Stream::Failures, 0), "tinko:failures");
        assert_eq!(one.dead(Stream::Failures, 0), "tinko:failures:dead");
        let four = Keys::new("tinko".to_owned(), NonZeroU16::new(4).unwrap());
        assert_eq!(four.live(Stream::Events, 3), "tinko:events:{3}");
        assert_eq!(four.dead(Stream::Events, 3), "tinko:events:{3}:dead");
        assert_eq!(four.shards().count(), 4);
    }

    #[test]
    fn an_entry_id_survives_its_text() {
        let id: EntryId = "1750000000123-7".parse().unwrap();
        assert_eq!(id.to_string(), "1750000000123-7");
        assert_eq!(id.at().unwrap().timestamp_millis(), 1_750_000_000_123);
        for bad in ["", "1", "1-", "-1", "a-b", "1-2-3"] {
            assert_eq!(bad.parse::<EntryId>(), Err(NoEntryId), "{bad}");
        }
    }
}
