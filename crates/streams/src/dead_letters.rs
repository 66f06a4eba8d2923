//! Dead letters: looked at, replayed, discarded.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use contracts::{Envelope, Stream};
use redis::Script;

use crate::entry::{Entries, Entry};
use crate::keys::EntryId;
use crate::{Streams, StreamsError};

/// The field with the sentence that says why.
pub(crate) const REASON: &str = "reason";
/// The field with the number of deliveries.
pub(crate) const DELIVERIES: &str = "deliveries";

/// Names a dead letter of a stream: its shard and its entry, as `0/1750000000123-0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeadLetterId {
    shard: u16,
    entry: EntryId,
}

/// An entry that was given up.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    /// Its name.
    pub id: DeadLetterId,
    /// When it was given up, by Redis's clock.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: String,
    /// How often it had been delivered.
    pub deliveries: u64,
    /// What it says, or the sentence that tells why it cannot be read.
    pub envelope: Result<Envelope, String>,
}

impl fmt::Display for DeadLetterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.shard, self.entry)
    }
}

impl FromStr for DeadLetterId {
    type Err = StreamsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split_once('/')
            .and_then(|(shard, entry)| {
                Some(Self {
                    shard: shard.parse().ok()?,
                    entry: entry.parse().ok()?,
                })
            })
            .ok_or_else(|| StreamsError::BadDeadLetterId {
                text: text.to_owned(),
            })
    }
}

/// Moves one entry: KEYS the dead letters and the stream, ARGV the id. Its own
/// fields go along, those that tell of its death do not.
const REPLAY: &str = r"
local found = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])
if #found == 0 then return 0 end
local fields = {}
local all = found[1][2]
for i = 1, #all, 2 do
  if all[i] ~= 'reason' and all[i] ~= 'deliveries' then
    table.insert(fields, all[i])
    table.insert(fields, all[i + 1])
  end
end
redis.call('XADD', KEYS[2], '*', unpack(fields))
return redis.call('XDEL', KEYS[1], ARGV[1])
";

impl Streams {
    /// The oldest `count` dead letters of each shard, oldest first.
    pub async fn dead_letters(
        &self,
        stream: Stream,
        count: usize,
    ) -> Result<Vec<DeadLetter>, StreamsError> {
        let mut letters = Vec::new();
        for shard in self.keys.shards() {
            let mut range = redis::cmd("XRANGE");
            range
                .arg(self.keys.dead(stream, shard))
                .arg("-")
                .arg("+")
                .arg("COUNT")
                .arg(count);
            let Entries(entries) = self.command("list dead letters", &range).await?;
            letters.extend(
                entries
                    .iter()
                    .map(|entry| dead_letter(stream, shard, entry)),
            );
        }
        letters.sort_by_key(|letter| letter.id.entry);
        letters.truncate(count);
        Ok(letters)
    }

    /// Puts a dead letter back at its stream's end, as if just published: its
    /// deliveries are counted anew. In one step; a second replay finds nothing.
    ///
    /// Fails with [`StreamsError::NoSuchDeadLetter`] when it is not there.
    pub async fn replay(&self, stream: Stream, id: DeadLetterId) -> Result<(), StreamsError> {
        let script = Script::new(REPLAY);
        let mut call = script.key(self.keys.dead(stream, id.shard));
        call.key(self.keys.live(stream, id.shard))
            .arg(id.entry.to_string());
        let moved: u64 = self.script("replay a dead letter", &call).await?;
        found(moved, stream, id)
    }

    /// Drops a dead letter for good. Its outbox row in Postgres is not touched.
    ///
    /// Fails with [`StreamsError::NoSuchDeadLetter`] when it is not there.
    pub async fn discard(&self, stream: Stream, id: DeadLetterId) -> Result<(), StreamsError> {
        let mut delete = redis::cmd("XDEL");
        delete
            .arg(self.keys.dead(stream, id.shard))
            .arg(id.entry.to_string());
        let deleted: u64 = self.command("discard a dead letter", &delete).await?;
        found(deleted, stream, id)
    }
}

fn found(count: u64, stream: Stream, id: DeadLetterId) -> Result<(), StreamsError> {
    if count > 0 {
        return Ok(());
    }
    Err(StreamsError::NoSuchDeadLetter {
        stream: stream.as_str(),
        id: id.to_string(),
    })
}

fn dead_letter(stream: Stream, shard: u16, entry: &Entry) -> DeadLetter {
    let text = |field| {
        entry
            .fields
            .get(field)
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
            .unwrap_or_default()
    };
    DeadLetter {
        id: DeadLetterId {
            shard,
            entry: entry.id,
        },
        at: entry.id.at().unwrap_or_default(),
        reason: text(REASON),
        deliveries: text(DELIVERIES).parse().unwrap_or_default(),
        envelope: entry.envelope(stream).map_err(|error| error.to_string()),
    }
}
