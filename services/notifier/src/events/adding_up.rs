//! Adding up what was counted.

use std::time::{Duration, Instant};

use backbone::Backbone;
use db::{DbError, rollups};
use tokio_util::sync::CancellationToken;

/// Most counts added up in one transaction.
const FOLD_BATCH: i64 = 20_000;
/// Between two rounds of adding up: how late analytics may be.
const FOLD_EVERY: Duration = Duration::from_secs(1);

/// Adds up what was counted, until `stop`. Every replica does; one at a time is at it.
///
/// How far analytics is behind is told as the time since everything was added up; a replica that another one keeps from
/// it is not behind.
pub(crate) async fn keep_adding_up(backbone: Backbone, stop: CancellationToken) {
    let mut up_to_date = Instant::now();
    while !stop.is_cancelled() {
        match add_up(&backbone, up_to_date).await {
            Ok(()) => up_to_date = Instant::now(),
            Err(error) => {
                tracing::warn!(%error, "what was counted for analytics was not added up");
            }
        }
        behind(up_to_date);
        stop.run_until_cancelled(tokio::time::sleep(FOLD_EVERY))
            .await;
    }
}

fn behind(up_to_date: Instant) {
    metrics::gauge!("rollups_behind_seconds").set(up_to_date.elapsed());
}

async fn add_up(backbone: &Backbone, up_to_date: Instant) -> Result<(), DbError> {
    loop {
        let mut tx = backbone.db.begin(backbone.cause()).await?;
        let moved = rollups::fold(&mut tx, FOLD_BATCH).await?;
        tx.commit().await?;
        if moved == 0 {
            return Ok(());
        }
        behind(up_to_date);
    }
}
