//! How far a group is: what tells a backlog from a loss.

use std::time::Duration;

use chrono::{DateTime, Utc};
use contracts::Stream;
use redis::streams::{StreamInfoGroupsReply, StreamPendingCountReply};

use crate::entry::Entries;
use crate::keys::EntryId;
use crate::{Streams, StreamsError, telemetry};

/// How far a group is in a stream, over all its shards. Times are by Redis's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// Whether the stream and its group are there, in every shard. They are not
    /// before the first consumer has come, or after a flush until it has noticed.
    pub exists: bool,
    /// When the newest entry that the group has been given was added: the least
    /// over the shards, `None` if any has been given nothing yet.
    pub last_delivered_at: Option<DateTime<Utc>>,
    /// When the oldest entry that still lies in the stream was added, read or
    /// not; `None` if it is empty.
    pub oldest_entry_at: Option<DateTime<Utc>>,
    /// Entries that nobody has read yet.
    pub lag: u64,
    /// Entries read and not yet acknowledged.
    pub pending: u64,
    /// How long ago the oldest of the pending entries was added.
    pub oldest_pending_age: Option<Duration>,
    /// Dead letters that lie there.
    pub dead: u64,
}

impl Position {
    /// Whether an entry that was published at `published_at` may still lie in the
    /// stream, unread or being worked on. If not, it was acknowledged or it is
    /// lost, and publishing it again is right.
    ///
    /// An entry is added before its publishing is noted, so only a clock of ours
    /// that runs behind Redis's can make this wrong, and then only towards a copy.
    pub fn may_hold(&self, published_at: DateTime<Utc>) -> bool {
        self.oldest_entry_at
            .is_some_and(|oldest| oldest <= published_at)
    }

    fn merge(self, other: Self) -> Self {
        Self {
            exists: self.exists && other.exists,
            last_delivered_at: self.last_delivered_at.min(other.last_delivered_at),
            oldest_entry_at: [self.oldest_entry_at, other.oldest_entry_at]
                .into_iter()
                .flatten()
                .min(),
            lag: self.lag.saturating_add(other.lag),
            pending: self.pending.saturating_add(other.pending),
            oldest_pending_age: self.oldest_pending_age.max(other.oldest_pending_age),
            dead: self.dead.saturating_add(other.dead),
        }
    }
}

impl Streams {
    /// How far `group` is in `stream`. A handful of cheap commands a shard.
    pub async fn position(&self, stream: Stream, group: &str) -> Result<Position, StreamsError> {
        let mut position: Option<Position> = None;
        for shard in self.keys.shards() {
            let here = self.shard_position(stream, shard, group).await?;
            position = Some(match position {
                Some(so_far) => so_far.merge(here),
                None => here,
            });
        }
        Ok(position.unwrap_or_default())
    }

    /// As [`Streams::position`], and sets the gauges by it. A consumer does this
    /// by itself; call it where the stream should be watched though nobody reads it.
    pub async fn observe(&self, stream: Stream, group: &str) -> Result<Position, StreamsError> {
        let position = self.position(stream, group).await?;
        telemetry::stands(stream, &position);
        Ok(position)
    }

    async fn shard_position(
        &self,
        stream: Stream,
        shard: u16,
        group: &str,
    ) -> Result<Position, StreamsError> {
        let key = self.keys.live(stream, shard);
        let mut look = redis::pipe();
        look.cmd("XLEN").arg(&key);
        look.cmd("XRANGE").arg(&key).arg("-").arg("+");
        look.arg("COUNT").arg(1);
        look.cmd("XLEN").arg(self.keys.dead(stream, shard));
        look.cmd("TIME");
        let (length, first, dead, (now_seconds, now_micros)): (u64, Entries, u64, (u64, u64)) =
            self.pipeline("say how long a stream is", &look).await?;
        let now_millis = now_seconds * 1000 + now_micros / 1000;
        let bare = Position {
            oldest_entry_at: first.0.first().and_then(|entry| entry.id.at()),
            lag: length,
            dead,
            ..Position::default()
        };
        let Some((pending, last_delivered, oldest)) = self.group_position(&key, group).await?
        else {
            return Ok(bare);
        };
        Ok(Position {
            exists: true,
            last_delivered_at: Some(last_delivered)
                .filter(|id| !id.is_start())
                .and_then(EntryId::at),
            // Not the lag that Redis reports: it has none once an entry at the
            // group's own place was deleted. With one group that deletes what it
            // acknowledges, what lies there is pending or unread.
            lag: length.saturating_sub(pending),
            pending,
            oldest_pending_age: oldest
                .map(|id| Duration::from_millis(now_millis.saturating_sub(id.millis()))),
            ..bare
        })
    }

    /// How many are pending, what was delivered last, and the oldest pending;
    /// `None` without stream or group.
    async fn group_position(
        &self,
        key: &str,
        group: &str,
    ) -> Result<Option<(u64, EntryId, Option<EntryId>)>, StreamsError> {
        let mut groups = redis::cmd("XINFO");
        groups.arg("GROUPS").arg(key);
        let groups = self.command("describe a stream's groups", &groups).await;
        let groups: StreamInfoGroupsReply = match groups {
            Err(error) if is_no_key(&error) => return Ok(None),
            other => other?,
        };
        let Some(info) = groups.groups.into_iter().find(|info| info.name == group) else {
            return Ok(None);
        };
        let mut oldest = redis::cmd("XPENDING");
        oldest.arg(key).arg(group).arg("-").arg("+").arg(1);
        let oldest = self.command("name the oldest pending entry", &oldest).await;
        let oldest: StreamPendingCountReply = match oldest {
            Err(error) if error.is_no_group() => return Ok(None),
            other => other?,
        };
        let oldest = oldest.ids.first().and_then(|it| it.id.parse().ok());
        let last = info.last_delivered_id.parse().ok();
        Ok(last.map(|last| (info.pending as u64, last, oldest)))
    }
}

/// Redis has no code of its own for a key that is not there.
fn is_no_key(error: &StreamsError) -> bool {
    matches!(error, StreamsError::Command { source, .. }
        if source.detail().is_some_and(|detail| detail.contains("no such key")))
}
