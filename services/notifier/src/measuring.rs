//! Gauges of what waits for partners and for the analytics sink.

use std::time::Duration;

use backbone::Backbone;
use tokio_util::sync::CancellationToken;

use crate::{partners, sink};

/// Between two measurements.
const EVERY: Duration = Duration::from_secs(15);

/// Measures until `stop`; what waits for the sink only where there is one.
pub(crate) async fn keep_measuring(backbone: Backbone, has_sink: bool, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = partners::measure(&backbone).await {
            tracing::debug!(%error, "waiting webhooks were not counted");
        }
        if has_sink && let Err(error) = sink::measure(&backbone).await {
            tracing::debug!(%error, "what waits for the analytics sink was not counted");
        }
        stop.run_until_cancelled(tokio::time::sleep(EVERY)).await;
    }
}
