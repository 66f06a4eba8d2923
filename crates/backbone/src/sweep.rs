//! Publishing again what was left or lost.
//!
//! Two kinds of outbox row want it:
//!
//! 1. **Left**: committed and never published. Its process died between commit
//!    and publishing, or Redis was away.
//! 2. **Lost**: published, not settled, and no longer in its stream: Redis was
//!    flushed, or restarted empty. A row whose entry may still lie there is a
//!    backlog and is left alone, however old; else a slow consumer would be
//!    given every entry again and again.

use chrono::{DateTime, TimeDelta, Utc};
use contracts::Stream;
use db::{Cause, Db, DbError};
use runtime::clock::SharedClock;
use streams::{Streams, StreamsError};

use crate::group_of;

/// How long a row is given to its own process before the sweeper takes it.
const LEFT_AFTER: TimeDelta = TimeDelta::seconds(2);
/// How long a published row is given before it is asked whether Redis lost it.
const LOST_AFTER: TimeDelta = TimeDelta::seconds(5);
/// Most rows of one sweep and kind: the next sweep comes soon.
const BATCH: i64 = 1_000;

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
}

impl Sweeper {
    /// A sweeper over these.
    pub fn new(db: Db, streams: Streams, clock: SharedClock) -> Self {
        Self { db, streams, clock }
    }

    /// One sweep; answers how many events it published again. A full batch means
    /// that there is more.
    pub async fn step(&self) -> Result<usize, SweepError> {
        let now = self.clock.now();
        let mut swept = self.sweep_left(now).await?;
        for stream in Stream::ALL {
            swept += self.sweep_lost(stream, now).await?;
        }
        Ok(swept)
    }

    /// The rows stay locked until they are marked, so that two sweepers do not
    /// publish the same ones.
    async fn sweep_left(&self, now: DateTime<Utc>) -> Result<usize, SweepError> {
        let mut tx = self.db.begin(cause(now)).await?;
        let left = db::outbox::unpublished(tx.conn(), now - LEFT_AFTER, BATCH).await?;
        self.publish_locked(tx, left, now, "left").await
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
        envelopes: Vec<contracts::Envelope>,
        now: DateTime<Utc>,
        kind: &'static str,
    ) -> Result<usize, SweepError> {
        if envelopes.is_empty() {
            tx.roll_back().await?;
            return Ok(0);
        }
        self.streams.publish(&envelopes).await?;
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

#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge is a float; counts stay far below 2^52"
)]
fn gauge(value: i64) -> f64 {
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
