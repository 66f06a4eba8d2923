//! Keeps what is held from being overtaken while this process lives.

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::patience::Patience;
use super::shard::Shard;
use crate::{Handler, StreamsError};

/// How many entries one command names.
const BATCH: usize = 500;

/// Beats until `drained`.
pub(super) async fn beat_until<H: Handler>(shard: &Shard<H>, drained: &CancellationToken) {
    let mut patience = Patience::new(shard.stream, "keep hold of the entries being handled");
    let mut every = interval(shard.config.heartbeat());
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = drained.cancelled() => return,
            _ = every.tick() => {}
        }
        match beat(shard).await {
            Err(error) if error.is_no_group() => {}
            Err(error) => patience.lost(&error, drained).await,
            Ok(()) => patience.regained(),
        }
    }
}

/// Sets the idle time of everything held to nothing. JUSTID leaves the delivery
/// count alone. What has been acknowledged in between stays so.
async fn beat<H: Handler>(shard: &Shard<H>) -> Result<(), StreamsError> {
    for ids in shard.held_ids().chunks(BATCH) {
        let mut claim = shard.claim(0, ids);
        claim.arg("JUSTID");
        let _: redis::Value = shard
            .streams
            .command("keep entries from being taken over", &claim)
            .await?;
    }
    Ok(())
}
