//! Bearing a Redis that is away.

use std::time::Duration;

use contracts::Stream;
use tokio_util::sync::CancellationToken;

use crate::telemetry;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Counts the troubles of one loop, says once that they began and once that they
/// ended, and pauses in between for longer and longer.
pub(super) struct Patience {
    stream: Stream,
    wanted: &'static str,
    pause: Option<Duration>,
}

impl Patience {
    /// `wanted` is a verb phrase, for the log.
    pub(super) const fn new(stream: Stream, wanted: &'static str) -> Self {
        Self {
            stream,
            wanted,
            pause: None,
        }
    }

    /// Notes a trouble and pauses, not beyond `until`.
    pub(super) async fn lost(
        &mut self,
        error: &(dyn std::error::Error + Sync),
        until: &CancellationToken,
    ) {
        telemetry::count(telemetry::REDIS_ERRORS, self.stream, 1);
        let pause = match self.pause {
            None => {
                tracing::warn!(stream = %self.stream, %error, "cannot {}; trying until it works", self.wanted);
                FIRST_PAUSE
            }
            Some(last) => (last * 2).min(LONGEST_PAUSE),
        };
        self.pause = Some(pause);
        // An error means only that `until` came first.
        let _ = tokio::time::timeout(pause, until.cancelled()).await;
    }

    /// Notes that it works.
    pub(super) fn regained(&mut self) {
        if self.pause.take().is_some() {
            tracing::info!(stream = %self.stream, "can {} again", self.wanted);
        }
    }
}
