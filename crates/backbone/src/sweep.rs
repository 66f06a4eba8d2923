//! Publishing again what was left or lost.
//!
//! Two kinds of outbox row want it:
//!
//! 1. **Left**: committed and never published. Its process died between commit
//!    and publishing, Redis was away, or its organization has as many messages in
//!    Redis as it may (see `lanes`). Organizations take turns.
//! 2. **Lost**: published, not settled, and no longer in its stream: Redis was
//!    flushed, or restarted empty. A row whose entry may still lie there is a
//!    backlog and is left alone, however old; else a slow consumer would be
//!    given every entry again and again.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use contracts::Stream;
use db::outbox::Left;
use db::{Cause, Db, DbError};
use runtime::clock::SharedClock;
use streams::{Streams, StreamsError};
use uuid::Uuid;

use crate::{Backbone, group_of, lanes, publishing};

/// How long a row is given to its own process before the sweeper takes it.
pub(crate) const LEFT_AFTER: TimeDelta = TimeDelta::seconds(2);
/// As [`LEFT_AFTER`], for messages that may wait for room: most that are as old as this were
/// held back, and would wait while there is room. One that its own process is still about to
/// publish is published twice, and handled once.
const HELD_BACK_AFTER: TimeDelta = TimeDelta::milliseconds(500);
/// How long a published row is given before it is asked whether Redis lost it.
const LOST_AFTER: TimeDelta = TimeDelta::seconds(5);
/// Most rows of one sweep and kind: the next sweep comes soon.
const BATCH: i64 = 1_000;
/// Most rows of one organization and stream in one sweep of what was left.
const SHARE: i64 = 500;

/// Why a sweep did not come through.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// Postgres.
    #[error("the outbox could not be read")]
    Db(#[from] DbError),
    /// Redis.
    #[error("the streams could not be asked")]
    Streams(#[from] StreamsError),
}

/// Sweeps the outbox; one a process, any number of processes.
pub struct Sweeper {
    db: Db,
    streams: Streams,
    clock: SharedClock,
    /// Most messages of an organization and channel in Redis.
    ahead: i64,
    /// With which organization each stream's last full batch ended.
    turns: Mutex<HashMap<Stream, Uuid>>,
}

impl Sweeper {
    /// The sweeper of a service.
    pub fn new(backbone: &Backbone) -> Self {
        Self {
            db: backbone.db.clone(),
            streams: backbone.streams.clone(),
            clock: backbone.clock.clone(),
            ahead: backbone.messages_ahead,
            turns: Mutex::default(),
        }
    }

    /// One sweep; answers how many events it published again. A full batch means
    /// that there is more.
    pub async fn step(&self) -> Result<usize, SweepError> {
        let now = self.clock.now();
        let mut swept = 0;
        for stream in Stream::ALL {
            swept += self.sweep_left(stream, now, LEFT_AFTER).await?;
            swept += self.sweep_lost(stream, now).await?;
        }
        Ok(swept)
    }

    /// Publishes messages that wait for room in Redis, by turns; answers how many.
    pub async fn fill_up(&self) -> Result<usize, SweepError> {
        let now = self.clock.now();
        let mut swept = 0;
        for stream in Stream::ALL.into_iter().filter(|it| lanes::has_lanes(*it)) {
            swept += self.sweep_left(stream, now, HELD_BACK_AFTER).await?;
        }
        Ok(swept)
    }

    /// Those that are older than `age`. The rows stay locked until they are marked, so that
    /// two sweepers do not publish the same ones.
    async fn sweep_left(
        &self,
        stream: Stream,
        now: DateTime<Utc>,
        age: TimeDelta,
    ) -> Result<usize, SweepError> {
        let wanted = Left {
            stream,
            before: now - age,
            after: self.turn_of(stream),
            share: SHARE,
            ahead: self.ahead,
            limit: BATCH,
        };
        let mut tx = self.db.begin(cause(now)).await?;
        let left = db::outbox::unpublished(tx.conn(), &wanted).await?;
        let is_full = i64::try_from(left.len()).is_ok_and(|rows| rows == BATCH);
        let last = left.last().filter(|_| is_full);
        let next = last.map_or(Uuid::nil(), |event| event.organization.uuid());
        let swept = self.publish_locked(tx, left, now, "left").await?;
        self.turns().insert(stream, next);
        Ok(swept)
    }

    /// After which organization the next sweep begins.
    fn turn_of(&self, stream: Stream) -> Uuid {
        self.turns().get(&stream).copied().unwrap_or_default()
    }

    fn turns(&self) -> MutexGuard<'_, HashMap<Stream, Uuid>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn sweep_lost(&self, stream: Stream, now: DateTime<Utc>) -> Result<usize, SweepError> {
        let mut tx = self.db.begin(cause(now)).await?;
        let deadline = now - LOST_AFTER;
        let stale = db::outbox::published_before(tx.conn(), stream, deadline, BATCH).await?;
        if stale.is_empty() {
            tx.roll_back().await?;
            return Ok(0);
        }
        let position = self.streams.position(stream, group_of(stream)).await?;
        if position.may_hold(deadline) {
            tx.roll_back().await?;
            return Ok(0);
        }
        self.publish_locked(tx, stale, now, "lost").await
    }

    async fn publish_locked(
        &self,
        mut tx: db::Tx,
        mut envelopes: Vec<contracts::Envelope>,
        now: DateTime<Utc>,
        kind: &'static str,
    ) -> Result<usize, SweepError> {
        if envelopes.is_empty() {
            tx.roll_back().await?;
            return Ok(0);
        }
        publishing::publish(&self.streams, now, &mut envelopes).await?;
        let ids: Vec<_> = envelopes.iter().map(|envelope| envelope.outbox).collect();
        db::outbox::mark_published(tx.conn(), &ids, now).await?;
        tx.commit().await?;
        metrics::counter!("outbox_swept_total", "kind" => kind).increment(ids.len() as u64);
        tracing::info!(events = ids.len(), kind, "published again from the outbox");
        Ok(ids.len())
    }

    /// Notes how much is owed, for metrics and alerts.
    pub async fn observe(&self) -> Result<(), SweepError> {
        let mut conn = self.db.read().await?;
        let owed = db::outbox::owed(&mut conn, self.clock.now()).await?;
        metrics::gauge!("outbox_unpublished").set(gauge(owed.unpublished));
        metrics::gauge!("outbox_dead").set(gauge(owed.dead));
        metrics::gauge!("outbox_oldest_unpublished_seconds")
            .set(gauge(owed.oldest_unpublished.num_seconds()));
        Ok(())
    }
}

/// A count or seconds, as gauges want them.
#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge is a float; counts and seconds stay far below 2^52"
)]
pub fn gauge(value: i64) -> f64 {
    value as f64
}

fn cause(now: DateTime<Utc>) -> Cause {
    Cause {
        at: now,
        actor: "sweeper".to_owned(),
        traceparent: None,
        tracestate: None,
    }
}
