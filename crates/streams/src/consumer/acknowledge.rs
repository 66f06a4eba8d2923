//! Removes what is done.

use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_util::sync::CancellationToken;

use super::patience::Patience;
use super::shard::Shard;
use crate::keys::EntryId;
use crate::{Handler, StreamsError, telemetry};

/// The most entries that go in one step. While one step is under way the next
/// ones gather, so that batches grow by themselves when there is much to do.
const BATCH: usize = 500;
/// How often it is tried once everything else has ended. What stays comes back
/// to another consumer, as a copy.
const LAST_TRIES: u32 = 3;

/// An entry whose effect has committed.
pub(super) struct Settled {
    pub(super) id: EntryId,
    /// Given free once it is acknowledged: one that Redis does not know to be
    /// done still counts as held.
    pub(super) room: OwnedSemaphorePermit,
}

/// Acknowledges until `drained`, and then what is left.
pub(super) async fn acknowledge_until<H: Handler>(
    shard: &Shard<H>,
    mut settled: mpsc::UnboundedReceiver<Settled>,
    drained: &CancellationToken,
) {
    let mut patience = Patience::new(shard.stream, "acknowledge entries");
    let mut batch = Vec::new();
    loop {
        tokio::select! {
            biased;
            count = settled.recv_many(&mut batch, BATCH) => if count == 0 { return },
            () = drained.cancelled(), if !settled.is_closed() => {
                settled.close();
                continue;
            }
        }
        let ids: Vec<_> = batch.iter().map(|it: &Settled| it.id).collect();
        settle(shard, &ids, drained, &mut patience).await;
        for Settled { id, room } in batch.drain(..) {
            shard.release(id);
            drop(room);
        }
    }
}

/// Acknowledges a batch, trying until it works, or after `drained` a few times.
async fn settle<H: Handler>(
    shard: &Shard<H>,
    ids: &[EntryId],
    drained: &CancellationToken,
    patience: &mut Patience,
) {
    let mut tries = 0;
    loop {
        match acknowledge(shard, ids).await {
            Ok(()) => {
                patience.regained();
                telemetry::count(telemetry::CONSUMED, shard.stream, ids.len());
                return;
            }
            Err(error) => {
                tries += u32::from(drained.is_cancelled());
                if tries >= LAST_TRIES {
                    tracing::warn!(
                        stream = %shard.stream, entries = ids.len(), %error,
                        "stopping without having acknowledged; copies will be delivered",
                    );
                    return;
                }
                patience.lost(&error, drained).await;
            }
        }
    }
}

/// Takes entries off the pending list and off the stream, in one step: the first
/// alone would leave them in memory for ever.
async fn acknowledge<H: Handler>(shard: &Shard<H>, ids: &[EntryId]) -> Result<(), StreamsError> {
    let mut remove = redis::pipe();
    remove.atomic();
    remove.cmd("XACK").arg(&shard.key).arg(&shard.config.group);
    remove.arg(ids).ignore();
    remove.cmd("XDEL").arg(&shard.key).arg(ids).ignore();
    shard.streams.pipeline("acknowledge entries", &remove).await
}
