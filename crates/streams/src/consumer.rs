//! The consumer-group runtime.
//!
//! Each shard has four loops in one task: `reader` gets fresh entries, `overtake`
//! gets those that are due again, `heartbeat` keeps what is held from being
//! overtaken, `acknowledge` removes what is done. What they get, they give to
//! `deliver`, one task an entry. At shutdown the first two stop, the deliveries
//! under way end, then the other two stop.

mod acknowledge;
mod deliver;
mod heartbeat;
mod housekeeping;
mod overtake;
mod patience;
mod reader;
mod seats;
mod shard;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use contracts::{Envelope, Stream};
use futures_util::future::join_all;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use crate::{ConsumerConfig, Streams};
use seats::Seats;
use shard::{Running, Shard, Tasks};

/// One delivery of one entry.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// What was published.
    pub envelope: Envelope,
    /// Where it lay.
    pub stream: Stream,
    /// Its entry's id in Redis, for logs.
    pub entry: String,
    /// When it was published, by Redis's clock.
    pub published_at: DateTime<Utc>,
    /// The how-manieth delivery of the entry this is, from 1.
    pub deliveries: u64,
}

/// Why a delivery failed, and so what becomes of the entry. Said where the error
/// arises, since only there it is known whether trying again can help.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Trying again can help: it comes back after the back-off.
    #[error("{0}")]
    Retry(#[source] Box<dyn Error + Send + Sync>),
    /// It was not begun, since what it needs is away just now: it comes back after
    /// `pause`, or the take-over time if that is shorter, and the delivery is not
    /// counted.
    #[error("not begun for now: {why}")]
    NotNow {
        /// What it waits for, in words.
        why: String,
        /// Until it is worth trying.
        pause: Duration,
    },
    /// Trying again cannot help: it becomes a dead letter with this reason.
    #[error("{0}")]
    Final(String),
}

impl Failure {
    /// [`Failure::Retry`], of an error or a sentence.
    pub fn retry(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Retry(source.into())
    }

    /// [`Failure::Final`], of a sentence.
    pub fn for_good(reason: impl Into<String>) -> Self {
        Self::Final(reason.into())
    }
}

/// What is done with a stream's entries.
pub trait Handler: Send + Sync + 'static {
    /// Does what the envelope wants, and commits it, before it returns `Ok`.
    /// Idempotent: copies come. A panic counts as [`Failure::Retry`].
    fn handle(&self, delivery: &Delivery) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Waits until it makes sense to begin a delivery: while what all of them need is
    /// away, entries wait in their stream, undelivered or held, and nothing is counted.
    fn ready(&self) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Records in Postgres that the entry's outbox row is a dead letter, for
    /// `reason`. Idempotent. Until this is `Ok` the entry is not given up: an
    /// error (a sentence for the log) means that the record could not be made,
    /// and the entry comes back to [`Handler::handle`] first.
    ///
    /// An entry that cannot be decoded names no outbox row that could be
    /// trusted: it becomes a dead letter without this call, and its row is
    /// published again by the sweeper.
    fn dead(
        &self,
        delivery: &Delivery,
        reason: &str,
    ) -> impl Future<Output = Result<(), String>> + Send;
}

/// Reads `stream` and gives its entries to `handler`, until `shutdown`.
///
/// Then it stops reading, lets the deliveries under way end, acknowledges them,
/// hands back what it held and had not begun, and leaves the group. It sets no
/// limit of time to the handlers: that is the process's grace period.
///
/// Never returns before `shutdown`, whatever becomes of Redis. Dropping the
/// future is like killing the process: what it held is taken over by others.
pub async fn consume<H: Handler>(
    streams: Streams,
    stream: Stream,
    config: ConsumerConfig,
    handler: Arc<H>,
    shutdown: CancellationToken,
) {
    let config = Arc::new(config);
    let running = Running {
        all: Arc::new(Semaphore::new(config.concurrency.max(1))),
        seats: Arc::new(Seats::new(&config)),
    };
    let shards = streams.keys.shards().map(|number| {
        let (done, settled) = mpsc::unbounded_channel();
        let shard = Shard::new(&streams, stream, number, &config, &handler, &running, done);
        run_shard(Arc::new(shard), settled, &shutdown)
    });
    let housekeeping = housekeeping::keep_until(&streams, stream, &config, &shutdown);
    tokio::join!(join_all(shards), housekeeping);
}

async fn run_shard<H: Handler>(
    shard: Arc<Shard<H>>,
    settled: mpsc::UnboundedReceiver<acknowledge::Settled>,
    shutdown: &CancellationToken,
) {
    // Not in the shard: its tasks hold the shard, and would keep themselves alive
    // when this future is dropped.
    let tasks = Tasks::new(shutdown.clone());
    let drained = CancellationToken::new();
    let working = async {
        tokio::join!(
            reader::read_until(&shard, &tasks, shutdown),
            overtake::overtake_until(&shard, &tasks, shutdown),
        );
        tasks.finish().await;
        drained.cancel();
    };
    tokio::join!(
        working,
        heartbeat::beat_until(&shard, &drained),
        acknowledge::acknowledge_until(&shard, settled, &drained),
    );
    housekeeping::leave(&shard).await;
}
