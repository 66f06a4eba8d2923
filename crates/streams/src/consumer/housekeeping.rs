//! Gauges, and the names of consumers that are gone.

use std::time::Duration;

use contracts::Stream;
use redis::Script;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::patience::Patience;
use super::shard::Shard;
use crate::config::millis;
use crate::{ConsumerConfig, Handler, Streams, StreamsError};

/// How often the gauges are set: about as often as Prometheus looks.
const EVERY: Duration = Duration::from_secs(5);

/// Removes consumers that hold nothing: KEYS the stream, ARGV the group, the
/// least idle time in ms, and the one name to look at or an empty text. In one
/// step, since a consumer removed while it holds something takes its pending
/// entries with it, and they would never be delivered again.
const REMOVE_CONSUMERS: &str = r"
local removed = 0
if redis.call('EXISTS', KEYS[1]) == 0 then return removed end
for _, row in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local it = {}
  for i = 1, #row, 2 do it[row[i]] = row[i + 1] end
  if it['pending'] == 0 and it['idle'] >= tonumber(ARGV[2])
    and (ARGV[3] == '' or ARGV[3] == it['name']) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], it['name'])
    removed = removed + 1
  end
end
return removed
";

/// Sets the gauges and removes long-gone consumers until shutdown.
pub(super) async fn keep_until(
    streams: &Streams,
    stream: Stream,
    config: &ConsumerConfig,
    shutdown: &CancellationToken,
) {
    let mut patience = Patience::new(stream, "look at how the stream stands");
    let mut every = interval(EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            _ = every.tick() => {}
        }
        match keep(streams, stream, config).await {
            Err(error) if error.is_no_group() => {}
            Err(error) => patience.lost(&error, shutdown).await,
            Ok(()) => patience.regained(),
        }
    }
}

async fn keep(
    streams: &Streams,
    stream: Stream,
    config: &ConsumerConfig,
) -> Result<(), StreamsError> {
    streams.observe(stream, &config.group).await?;
    for shard in streams.keys.shards() {
        let key = streams.keys.live(stream, shard);
        remove_consumers(streams, &key, &config.group, config.forget_after, "").await?;
    }
    Ok(())
}

/// Removes our own name, if we hold nothing.
pub(super) async fn leave<H: Handler>(shard: &Shard<H>) {
    let config = &shard.config;
    let left = remove_consumers(
        &shard.streams,
        &shard.key,
        &config.group,
        Duration::ZERO,
        &config.consumer,
    );
    if let Err(error) = left.await {
        tracing::debug!(stream = %shard.stream, %error, "could not leave the group; the name is removed later");
    }
}

async fn remove_consumers(
    streams: &Streams,
    key: &str,
    group: &str,
    idle: Duration,
    only: &str,
) -> Result<(), StreamsError> {
    let script = Script::new(REMOVE_CONSUMERS);
    let mut call = script.key(key);
    call.arg(group).arg(millis(idle)).arg(only);
    let removed: u64 = streams
        .script("remove consumers that are gone", &call)
        .await?;
    if removed > 0 {
        tracing::debug!(key, removed, "removed consumers that hold nothing");
    }
    Ok(())
}
