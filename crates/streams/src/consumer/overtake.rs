//! Gets the entries that are due again: those of dead processes, and those that
//! failed and have rested.

use std::sync::Arc;

use redis::streams::{StreamPendingCountReply, StreamPendingId};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::patience::Patience;
use super::shard::{Shard, Tasks};
use crate::config::millis;
use crate::entry::Entries;
use crate::keys::EntryId;
use crate::{Handler, StreamsError, telemetry};

/// How many due entries one look lists.
const PAGE: usize = 100;

/// Looks and takes until shutdown.
pub(super) async fn overtake_until<H: Handler>(
    shard: &Arc<Shard<H>>,
    tasks: &Tasks,
    shutdown: &CancellationToken,
) {
    let mut patience = Patience::new(shard.stream, "look for entries that are due again");
    let mut every = interval(shard.config.scan());
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut more = false;
    loop {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            _ = every.tick() => {}
            () = room_aside(shard), if more => {}
        }
        more = match overtake(shard, tasks).await {
            // The reader makes the group again.
            Err(error) if error.is_no_group() => false,
            Err(error) => {
                patience.lost(&error, shutdown).await;
                false
            }
            Ok(more) => {
                patience.regained();
                more
            }
        };
    }
}

/// Waits until as many as one look takes may wait aside: those that came back for want of
/// that come then, and not at the next tick, which would be a pace of its own.
async fn room_aside<H: Handler>(shard: &Shard<H>) {
    let many = u32::try_from(shard.prefetch).unwrap_or(u32::MAX);
    // Never closed.
    let _room = shard.aside.acquire_many(many).await;
    let _taken = shard.overtaken.acquire_many(many).await;
}

/// Takes what is due, as far as there is room; answers whether more may be due.
async fn overtake<H: Handler>(shard: &Arc<Shard<H>>, tasks: &Tasks) -> Result<bool, StreamsError> {
    let mut from = "-".to_owned();
    while shard.overtaken.available_permits() > 0 {
        let due = due(shard, &from).await?;
        let Some(last) = due.last() else {
            return Ok(false);
        };
        from = format!("({}", last.id);
        let all_seen = due.len() < PAGE;
        take(shard, tasks, &due).await?;
        if all_seen {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A page of the entries that have been idle for long enough, from `from` on.
async fn due<H: Handler>(
    shard: &Shard<H>,
    from: &str,
) -> Result<Vec<StreamPendingId>, StreamsError> {
    let mut pending = redis::cmd("XPENDING");
    pending.arg(&shard.key).arg(&shard.config.group);
    pending
        .arg("IDLE")
        .arg(millis(shard.config.take_over_after));
    pending.arg(from).arg("+").arg(PAGE);
    let reply: StreamPendingCountReply = shard
        .streams
        .command("list entries that are due", &pending)
        .await?;
    Ok(reply.ids)
}

/// Claims those of `due` for which there is room, and delivers them. One that
/// another consumer has claimed since is idle no more, and not given to us; one
/// whose entry is gone is struck off the pending list by Redis.
async fn take<H: Handler>(
    shard: &Arc<Shard<H>>,
    tasks: &Tasks,
    due: &[StreamPendingId],
) -> Result<(), StreamsError> {
    // Held ones are among them after Redis was away: they go on as they are.
    let wanted: Vec<(EntryId, u64)> = due
        .iter()
        .filter_map(|it| Some((it.id.parse().ok()?, it.times_delivered as u64)))
        .filter(|(id, _)| !shard.holds(*id))
        .take(shard.overtaken.available_permits())
        .collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = wanted.iter().map(|(id, _)| *id).collect();
    let claim = shard.claim(millis(shard.config.take_over_after), &ids);
    let Entries(entries) = shard
        .streams
        .command("give us entries that are due", &claim)
        .await?;
    telemetry::count(telemetry::REDELIVERED, shard.stream, entries.len());
    for entry in entries {
        let delivered = wanted.iter().find(|(id, _)| *id == entry.id);
        let deliveries = delivered.map_or(0, |(_, before)| *before).saturating_add(1);
        // There is room, since only this loop takes of it; if there were none,
        // the entry would be due again later.
        if let Ok(place) = Arc::clone(&shard.overtaken).try_acquire_owned() {
            shard.dispatch(tasks, entry, deliveries, place);
        }
    }
    Ok(())
}
