//! What the loops of one shard share.

use std::collections::HashSet;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use contracts::Stream;
use redis::Cmd;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::acknowledge::Settled;
use super::deliver;
use super::seats::Seats;
use crate::entry::Entry;
use crate::keys::EntryId;
use crate::{ConsumerConfig, Handler, Streams};

/// How many times the prefetch may wait aside.
const ASIDE: usize = 4;

/// The right to run, over all shards of the stream.
#[derive(Clone)]
pub(super) struct Running {
    pub(super) all: Arc<Semaphore>,
    pub(super) seats: Arc<Seats>,
}

/// One shard of a stream, as one process reads it.
pub(super) struct Shard<H> {
    pub(super) streams: Streams,
    pub(super) stream: Stream,
    pub(super) key: String,
    pub(super) dead_key: String,
    pub(super) config: Arc<ConsumerConfig>,
    pub(super) handler: Arc<H>,
    /// The most fresh entries held.
    pub(super) prefetch: usize,
    /// Room for fresh entries. A permit is held until the entry is settled.
    pub(super) fresh: Arc<Semaphore>,
    /// Room for entries taken over. Apart, since the reader keeps all free room
    /// for fresh ones reserved while it waits.
    pub(super) overtaken: Arc<Semaphore>,
    pub(super) running: Running,
    /// Room for entries that wait for a seat of their organization's, fresh or taken over.
    pub(super) aside: Arc<Semaphore>,
    pub(super) done: mpsc::UnboundedSender<Settled>,
    held: Mutex<HashSet<EntryId>>,
}

impl<H: Handler> Shard<H> {
    pub(super) fn new(
        streams: &Streams,
        stream: Stream,
        number: u16,
        config: &Arc<ConsumerConfig>,
        handler: &Arc<H>,
        running: &Running,
        done: mpsc::UnboundedSender<Settled>,
    ) -> Self {
        let prefetch = prefetch(config, streams.keys.shards().len());
        Self {
            streams: streams.clone(),
            stream,
            key: streams.keys.live(stream, number),
            dead_key: streams.keys.dead(stream, number),
            config: Arc::clone(config),
            handler: Arc::clone(handler),
            prefetch,
            fresh: Arc::new(Semaphore::new(prefetch)),
            overtaken: Arc::new(Semaphore::new(prefetch)),
            running: running.clone(),
            aside: Arc::new(Semaphore::new(
                ASIDE.saturating_mul(prefetch).min(Semaphore::MAX_PERMITS),
            )),
            done,
            held: Mutex::default(),
        }
    }

    /// An XCLAIM of `ids` for this consumer, of those idle for at least `idle_ms`.
    pub(super) fn claim(&self, idle_ms: u64, ids: &[EntryId]) -> Cmd {
        let mut claim = redis::cmd("XCLAIM");
        claim.arg(&self.key).arg(&self.config.group);
        claim.arg(&self.config.consumer).arg(idle_ms).arg(ids);
        claim
    }

    pub(super) fn holds(&self, id: EntryId) -> bool {
        self.held().contains(&id)
    }

    pub(super) fn held_ids(&self) -> Vec<EntryId> {
        self.held().iter().copied().collect()
    }

    pub(super) fn release(&self, id: EntryId) {
        self.held().remove(&id);
    }

    fn held(&self) -> MutexGuard<'_, HashSet<EntryId>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a delivery. `room` is held until the entry is settled.
    pub(super) fn dispatch(
        self: &Arc<Self>,
        tasks: &Tasks,
        entry: Entry,
        deliveries: u64,
        room: OwnedSemaphorePermit,
    ) {
        self.held().insert(entry.id);
        let shutdown = tasks.shutdown.clone();
        tasks.spawn(deliver::deliver(
            Arc::clone(self),
            entry,
            deliveries,
            room,
            shutdown,
        ));
    }
}

/// The most fresh entries that one of `shards` shards holds.
fn prefetch(config: &ConsumerConfig, shards: usize) -> usize {
    let all = config.prefetch.max(config.concurrency).max(1);
    (all / shards.max(1)).clamp(1, Semaphore::MAX_PERMITS)
}

/// The deliveries under way. Dropping it ends them.
pub(super) struct Tasks {
    set: Mutex<JoinSet<()>>,
    shutdown: CancellationToken,
}

impl Tasks {
    pub(super) fn new(shutdown: CancellationToken) -> Self {
        Self {
            set: Mutex::default(),
            shutdown,
        }
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        while set.try_join_next().is_some() {}
        set.spawn(task);
    }

    /// Waits until all have ended.
    pub(super) async fn finish(&self) {
        let mut set = {
            let mut set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *set)
        };
        while set.join_next().await.is_some() {}
    }
}
