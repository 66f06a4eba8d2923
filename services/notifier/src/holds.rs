//! Channels that operators have paused for everyone.
//!
//! Whether a message may go out is decided where its hand-over is marked. This spares a
//! paused channel the trouble of beginning every message in vain: its consumer begins no
//! delivery, as while its provider is left alone.

use std::sync::Arc;
use std::time::Duration;

use backbone::Backbone;
use db::DbError;
use domain::Channel;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Between two looks: so much later than an operator's word a channel stops and goes on.
const EVERY: Duration = Duration::from_secs(1);

/// The channels that are paused for everyone, as of the last look.
#[derive(Debug, Default)]
pub(crate) struct Holds(watch::Sender<Vec<Channel>>);

impl Holds {
    /// Waits until the channel is not paused for everyone.
    pub(crate) async fn passable(&self, channel: Channel) {
        let mut held = self.0.subscribe();
        // It ends with its sender, which is here.
        let _ = held.wait_for(|held| !held.contains(&channel)).await;
    }

    /// Looks again and again until `stop`. Where Postgres is away, what was known holds.
    pub(crate) async fn keep_current(self: Arc<Self>, backbone: Backbone, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match look(&backbone).await {
                Ok(held) => self.learn(held),
                Err(error) => tracing::debug!(%error, "which channels are paused is not known"),
            }
            stop.run_until_cancelled(tokio::time::sleep(EVERY)).await;
        }
    }

    fn learn(&self, held: Vec<Channel>) {
        self.0.send_if_modified(|known| {
            if *known == held {
                return false;
            }
            tracing::info!(channels = ?held, "channels that are paused for everyone");
            *known = held;
            true
        });
    }
}

async fn look(backbone: &Backbone) -> Result<Vec<Channel>, DbError> {
    let mut conn = backbone.db.read().await?;
    db::holds::channels(&mut conn).await
}
