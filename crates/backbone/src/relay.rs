//! Publishing what has committed.
//!
//! `Tx::commit` gives its events to the [`Relay`], which must not hold the
//! request up: they go through a bounded queue to one task, which takes all that
//! waits, publishes it in one pipeline and marks it in one statement. So a lone
//! event leaves at once, and under load a batch costs what one event does.
//!
//! Whatever the relay cannot do (the queue is full, Redis is away, the process
//! dies) or must not (an organization has as many messages in Redis as it may, see
//! `lanes`) it leaves: the rows are still in the outbox, and the sweeper
//! publishes them.

use std::sync::Arc;

use contracts::Envelope;
use db::{AfterCommit, Db};
use runtime::clock::SharedClock;
use streams::Streams;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::lanes::{Lanes, has_lanes};
use crate::publishing;

/// Events that may wait for the relay before they are left to the sweeper. Events, not
/// transactions: one of those may have a thousand.
const QUEUE: u32 = 16_384;
/// Most events of one pipeline.
const BATCH: usize = 512;

/// Takes committed events; see the module.
#[derive(Clone)]
pub struct Relay {
    queue: mpsc::Sender<Committed>,
    room: Arc<Semaphore>,
}

/// The events of a transaction, with their room in the queue.
struct Committed {
    envelopes: Vec<Envelope>,
    room: OwnedSemaphorePermit,
}

impl AfterCommit for Relay {
    fn committed(&self, envelopes: Vec<Envelope>) {
        let count = envelopes.len();
        let events = u32::try_from(count).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).try_acquire_many_owned(events);
        let sent = room.is_ok_and(|room| {
            let committed = Committed { envelopes, room };
            self.queue.try_send(committed).is_ok()
        });
        if !sent {
            metrics::counter!("outbox_left_to_sweeper_total", "reason" => "queue")
                .increment(count as u64);
        }
    }
}

/// The far end of the queue, to be run once the pool exists.
pub(crate) struct Pending(mpsc::Receiver<Committed>);

/// A relay and what it feeds. The pool needs the relay and the relay's task
/// needs the pool, hence two steps.
pub(crate) fn channel() -> (Arc<Relay>, Pending) {
    // No transaction in it is without an event.
    let (queue, pending) = mpsc::channel(QUEUE as usize);
    let room = Arc::new(Semaphore::new(QUEUE as usize));
    (Arc::new(Relay { queue, room }), Pending(pending))
}

/// Publishes until every pool that feeds the queue is gone, or until `closing`:
/// then nothing more is taken in, and what waits is published.
pub(crate) fn run(
    pending: Pending,
    db: Db,
    streams: Streams,
    clock: SharedClock,
    ahead: i64,
    closing: CancellationToken,
) -> JoinHandle<()> {
    let Pending(mut queue) = pending;
    tokio::spawn(async move {
        let mut waiting = Vec::with_capacity(BATCH);
        let mut lanes = Lanes::default();
        loop {
            let closed = queue.is_closed();
            let taking = queue.recv_many(&mut waiting, BATCH);
            let taken = if closed {
                taking.await
            } else if let Some(taken) = closing.run_until_cancelled(taking).await {
                taken
            } else {
                queue.close();
                continue;
            };
            if taken == 0 {
                return;
            }
            let (mut batch, mut rooms) = (Vec::new(), Vec::with_capacity(taken));
            for Committed { envelopes, room } in waiting.drain(..) {
                batch.extend(envelopes);
                rooms.push(room);
            }
            match lanes.hold_back(&db, &clock, ahead, &mut batch).await {
                Ok(0) => {}
                Ok(held) => metrics::counter!("outbox_left_to_sweeper_total", "reason" => "room")
                    .increment(held as u64),
                Err(error) => {
                    // Postgres is away: the sweeper asks again.
                    tracing::warn!(%error, "whether messages have room is not known");
                    batch.retain(|it| !has_lanes(it.stream()));
                }
            }
            if !batch.is_empty() {
                publish(&db, &streams, &clock, &mut batch).await;
            }
            drop(rooms);
        }
    })
}

/// Publishes a batch and marks it; false if it is left to the sweeper.
pub(crate) async fn publish(
    db: &Db,
    streams: &Streams,
    clock: &SharedClock,
    batch: &mut [Envelope],
) -> bool {
    if let Err(error) = publishing::publish(streams, clock.now(), batch).await {
        metrics::counter!("outbox_left_to_sweeper_total", "reason" => "redis")
            .increment(batch.len() as u64);
        tracing::warn!(%error, events = batch.len(), "not published; the sweeper will");
        return false;
    }
    let ids: Vec<_> = batch.iter().map(|envelope| envelope.outbox).collect();
    let marked = async {
        let mut conn = db.read().await?;
        db::outbox::mark_published(&mut conn, &ids, clock.now()).await
    };
    if let Err(error) = marked.await {
        // Unmarked, they are published twice; every consumer settles once.
        tracing::warn!(%error, events = batch.len(), "published, but not marked so");
    }
    true
}
