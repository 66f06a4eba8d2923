//! The metrics recorder and its buckets.

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusRecorder};

use super::export::SPANS_TOTAL;

/// Durations of requests and calls, in seconds: from a cached read to a provider's time-out.
const SHORT: [f64; 14] = [
    0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// How late or how old something is, in seconds: a second, minutes, hours, up to a week.
const LONG: [f64; 12] = [
    1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 10_800.0, 43_200.0, 86_400.0, 259_200.0, 604_800.0,
];

/// How many things there are in something.
const SIZES: [f64; 10] = [
    1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0,
];

/// What the end of a histogram's name says of its buckets.
const BY_SUFFIX: [(&str, &[f64]); 3] = [
    ("_delay_seconds", &LONG),
    ("_age_seconds", &LONG),
    ("_size", &SIZES),
];

/// The upper bounds of a histogram's buckets.
pub(super) fn buckets_of(name: &str) -> &'static [f64] {
    let by_suffix = BY_SUFFIX.iter().find(|(end, _)| name.ends_with(end));
    by_suffix.map_or(&SHORT, |(_, buckets)| buckets)
}

/// A recorder with Tinko's buckets, not installed yet.
pub(crate) fn recorder() -> Result<PrometheusRecorder, BuildError> {
    let mut builder = PrometheusBuilder::new().set_buckets(&SHORT)?;
    for (end, buckets) in BY_SUFFIX {
        builder = builder.set_buckets_for_metric(Matcher::Suffix(end.to_owned()), buckets)?;
    }
    Ok(builder.build_recorder())
}

/// Says what this crate's own metrics mean.
pub(super) fn describe() {
    metrics::describe_counter!(
        SPANS_TOTAL,
        "Spans by what became of them: exported, failed (the collector did not take them) or dropped (the queue was full)"
    );
    metrics::describe_counter!(
        "outgoing_requests_total",
        "Calls to others by peer, operation and outcome"
    );
    metrics::describe_histogram!(
        "outgoing_request_duration_seconds",
        "Duration of calls to others by peer, operation and outcome"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_gets_the_buckets_that_its_name_asks_for() {
        let recorder = recorder().unwrap();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            metrics::histogram!("http_request_duration_seconds").record(0.002);
            metrics::histogram!("attempt_delay_seconds").record(100.0);
            metrics::histogram!("claim_size").record(7.0);
        });
        let page = handle.render();
        for line in [
            "http_request_duration_seconds_bucket{le=\"0.0025\"} 1",
            "attempt_delay_seconds_bucket{le=\"60\"} 0",
            "attempt_delay_seconds_bucket{le=\"300\"} 1",
            "claim_size_bucket{le=\"10\"} 1",
        ] {
            assert!(page.contains(line), "{line} is not in\n{page}");
        }
    }
}
