//! Rate, errors and duration of calls to others (PSPs, message providers, partners), one way for
//! all: `outgoing_requests_total` and `outgoing_request_duration_seconds`, by peer, operation and
//! outcome.

use std::time::{Duration, Instant};

/// A call under way. It is counted when [`Call::finish`] is called, or as `abandoned` when it is
/// dropped before (a cancelled future, a panic).
#[derive(Debug)]
#[must_use = "a call that is not finished counts as abandoned"]
pub struct Call {
    peer: &'static str,
    operation: &'static str,
    started: Instant,
    outcome: &'static str,
}

impl Call {
    /// Starts a call of `operation` (`"charge"`) at `peer` (`"stripe"`).
    pub fn start(peer: &'static str, operation: &'static str) -> Self {
        Self {
            peer,
            operation,
            started: Instant::now(),
            outcome: "abandoned",
        }
    }

    /// Counts the call under `outcome`, one of a few fixed words (`"ok"`, `"declined"`,
    /// `"time_out"`): each word is a time series. Returns how long the call took.
    pub fn finish(mut self, outcome: &'static str) -> Duration {
        self.outcome = outcome;
        self.started.elapsed()
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let labels = [
            ("peer", self.peer),
            ("operation", self.operation),
            ("outcome", self.outcome),
        ];
        metrics::counter!("outgoing_requests_total", &labels).increment(1);
        metrics::histogram!("outgoing_request_duration_seconds", &labels)
            .record(self.started.elapsed());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finished_call_counts_under_its_outcome_and_a_dropped_one_as_abandoned() {
        let recorder = crate::telemetry::recorder().unwrap();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            Call::start("stripe", "charge").finish("declined");
            drop(Call::start("stripe", "charge"));
        });
        let page = handle.render();
        for outcome in ["declined", "abandoned"] {
            let line = format!(
                "outgoing_requests_total{{peer=\"stripe\",operation=\"charge\",outcome=\"{outcome}\"}} 1"
            );
            assert!(page.contains(&line), "{page}");
        }
        assert!(
            page.contains("outgoing_request_duration_seconds_bucket"),
            "{page}"
        );
    }
}
