//! Gets fresh entries, on a connection of its own that blocks in Redis.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisError, RedisResult};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

use super::patience::Patience;
use super::shard::{Shard, Tasks};
use crate::config::millis;
use crate::entry::{Entries, Entry};
use crate::error::is_no_group;
use crate::{Handler, telemetry};

/// Reads until shutdown, through every trouble with Redis.
pub(super) async fn read_until<H: Handler>(
    shard: &Arc<Shard<H>>,
    tasks: &Tasks,
    shutdown: &CancellationToken,
) {
    let mut patience = Patience::new(shard.stream, "read from Redis");
    while !shutdown.is_cancelled() {
        if let Err(error) = read_on_one_connection(shard, tasks, shutdown, &mut patience).await {
            patience.lost(&error, shutdown).await;
        }
    }
}

/// Reads until shutdown or the first error that a new connection may heal.
async fn read_on_one_connection<H: Handler>(
    shard: &Arc<Shard<H>>,
    tasks: &Tasks,
    shutdown: &CancellationToken,
    patience: &mut Patience,
) -> RedisResult<()> {
    let mut connection = shard.streams.blocking(shard.config.block).await?;
    let client: u64 = redis::cmd("CLIENT")
        .arg("ID")
        .query_async(&mut connection)
        .await?;
    make_group(shard, &mut connection).await?;
    while let Some(mut room) = free_room(shard, shutdown).await {
        let reading = read(shard, connection.clone(), room.num_permits());
        match unless_shutdown(shard, reading, client, shutdown).await {
            Ok(entries) => {
                patience.regained();
                telemetry::count(telemetry::READ, shard.stream, entries.len());
                for entry in entries {
                    if let Some(place) = room.split(1) {
                        shard.dispatch(tasks, entry, 1, place);
                    }
                }
            }
            Err(error) if is_no_group(&error) => make_group(shard, &mut connection).await?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Waits until it is worth reading and takes all room there is; `None` at shutdown.
///
/// Worth it: so much is free that reads are not one by one, and so little that
/// what is held keeps `concurrency` busy meanwhile.
async fn free_room<H: Handler>(
    shard: &Shard<H>,
    shutdown: &CancellationToken,
) -> Option<OwnedSemaphorePermit> {
    let all = shard.prefetch;
    let spare = all.saturating_sub(shard.config.concurrency);
    let worth = u32::try_from((all / 2).min(spare).max(1)).unwrap_or(u32::MAX);
    let mut room = tokio::select! {
        biased;
        () = shutdown.cancelled() => return None,
        room = Arc::clone(&shard.fresh).acquire_many_owned(worth) => room.ok()?,
    };
    while let Ok(more) = Arc::clone(&shard.fresh).try_acquire_owned() {
        room.merge(more);
    }
    Some(room)
}

async fn read<H: Handler>(
    shard: &Shard<H>,
    mut connection: MultiplexedConnection,
    count: usize,
) -> RedisResult<Vec<Entry>> {
    let mut read = redis::cmd("XREADGROUP");
    read.arg("GROUP")
        .arg(&shard.config.group)
        .arg(&shard.config.consumer);
    read.arg("COUNT").arg(count);
    // BLOCK 0 would wait for ever.
    read.arg("BLOCK").arg(millis(shard.config.block).max(1));
    read.arg("STREAMS").arg(&shard.key).arg(">");
    let streams: Option<Vec<(String, Entries)>> = read.query_async(&mut connection).await?;
    let entries = streams
        .into_iter()
        .flatten()
        .flat_map(|(_, Entries(it))| it);
    Ok(entries.collect())
}

/// Awaits a blocking read to its end: dropped, what Redis gives it at that moment
/// would lie unseen under our name. At shutdown Redis is asked to end it.
async fn unless_shutdown<H: Handler, T>(
    shard: &Shard<H>,
    reading: impl Future<Output = T>,
    client: u64,
    shutdown: &CancellationToken,
) -> T {
    let mut reading = pin!(reading);
    tokio::select! {
        biased;
        answer = &mut reading => return answer,
        () = shutdown.cancelled() => {}
    }
    let mut unblock = redis::cmd("CLIENT");
    unblock.arg("UNBLOCK").arg(client);
    loop {
        // Again and again: the first may come before the read has begun to block.
        // What it answers does not matter, BLOCK ends the read in any case.
        let unblocking = shard
            .streams
            .command::<u64>("end a blocking read", &unblock);
        let pause = tokio::time::sleep(Duration::from_millis(50));
        tokio::select! {
            biased;
            answer = &mut reading => return answer,
            _ = async { tokio::join!(unblocking, pause) } => {}
        }
    }
}

/// Makes the stream and its group, unless they are there: from the very first
/// entry on, so that what was published before anyone came is delivered.
async fn make_group<H: Handler>(
    shard: &Shard<H>,
    connection: &mut MultiplexedConnection,
) -> RedisResult<()> {
    let mut create = redis::cmd("XGROUP");
    create
        .arg("CREATE")
        .arg(&shard.key)
        .arg(&shard.config.group);
    create.arg("0").arg("MKSTREAM");
    let made: Result<(), RedisError> = create.query_async(connection).await;
    match made {
        Err(error) if error.code() == Some("BUSYGROUP") => Ok(()),
        other => other,
    }
}
