//! The page of metrics, in Prometheus's text format or as OpenMetrics.

use std::{collections::HashMap, fmt::Write as _, sync::Arc};

use metrics_exporter_prometheus::PrometheusHandle;

use super::exemplars::{Exemplars, Series};

/// Reads the metrics of this process.
#[derive(Clone, Debug)]
pub struct Metrics {
    handle: PrometheusHandle,
    exemplars: Option<Exemplars>,
}

impl From<PrometheusHandle> for Metrics {
    /// Without exemplars.
    fn from(handle: PrometheusHandle) -> Self {
        Self::new(handle, None)
    }
}

impl Metrics {
    pub(crate) const fn new(handle: PrometheusHandle, exemplars: Option<Exemplars>) -> Self {
        Self { handle, exemplars }
    }

    /// In Prometheus's text format.
    pub fn render(&self) -> String {
        self.handle.render()
    }

    /// Folds histograms' samples into their buckets.
    pub(super) fn run_upkeep(&self) {
        self.handle.run_upkeep();
    }

    /// `page`, which is in Prometheus's text format, as OpenMetrics 1.0 with exemplars
    /// (<https://prometheus.io/docs/specs/om/open_metrics_spec/>); none where no traces are
    /// exported that they could lead to.
    ///
    /// The bounds of buckets stay as they are written (`1`, where the specification wants `1.0`):
    /// Prometheus takes them as text, and another text would be another series.
    pub(crate) fn as_open_metrics(&self, page: &str) -> Option<String> {
        let series = self.exemplars.as_ref()?.by_line();
        let mut written = String::with_capacity(page.len() * 5 / 4);
        for line in page.lines().filter(|line| !line.is_empty()) {
            written.push_str(&family(line));
            if let Some((bound, series)) = bucket(line, &series)
                && let Some(exemplar) = series.of_bucket(bound)
            {
                // Writing to a String can't fail.
                let _ = write!(written, " # {exemplar}");
            }
            written.push('\n');
        }
        written.push_str("# EOF\n");
        Some(written)
    }
}

/// A line of a family's description: a counter's family is named without the `_total` of its samples.
fn family(line: &str) -> String {
    let described = ["# TYPE ", "# HELP "].into_iter().find_map(|kind| {
        let (name, rest) = line.strip_prefix(kind)?.split_once(' ')?;
        let name = name.strip_suffix("_total").unwrap_or(name);
        let rest = if kind == "# HELP " {
            rest.replace('"', "\\\"")
        } else {
            rest.replace("untyped", "unknown")
        };
        Some(format!("{kind}{name} {rest}"))
    });
    described.unwrap_or_else(|| line.to_owned())
}

/// The bound of a bucket's line, and whose bucket it is.
fn bucket<'a>(
    line: &'a str,
    all: &'a HashMap<String, Arc<Series>>,
) -> Option<(&'a str, &'a Series)> {
    let from = line.rfind("le=\"")? + "le=\"".len();
    let (before, bound) = line.split_at_checked(from)?;
    Some((bound.split('"').next()?, all.get(before)?))
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{
        SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState,
    };
    use opentelemetry::{Context, ContextGuard};

    use super::*;
    use crate::telemetry::{exemplars::WithExemplars, recorder};

    fn within(trace: u128, flags: TraceFlags) -> ContextGuard {
        let (trace, span) = (TraceId::from(trace), SpanId::from(7));
        let context = SpanContext::new(trace, span, flags, false, TraceState::default());
        Context::new().with_remote_span_context(context).attach()
    }

    fn page_of(exemplars: Option<Exemplars>, work: impl FnOnce()) -> (String, Option<String>) {
        let recorder = recorder().unwrap();
        let metrics = Metrics::new(recorder.handle(), exemplars.clone());
        let recorder = WithExemplars {
            recorder,
            exemplars,
        };
        metrics::with_local_recorder(&recorder, work);
        let page = metrics.render();
        let open = metrics.as_open_metrics(&page);
        (page, open)
    }

    fn record(seconds: f64) {
        metrics::histogram!("http_duration_seconds", "route" => "/v1/\"me\"").record(seconds);
    }

    #[test]
    fn a_bucket_leads_to_the_trace_of_its_last_sample() {
        let (page, open) = page_of(Some(Exemplars::default()), || {
            let first = within(0xa, TraceFlags::SAMPLED);
            record(0.04);
            record(3.0);
            drop(first);
            let _second = within(0xb, TraceFlags::SAMPLED);
            record(0.05);
            record(99.0);
        });
        let open = open.unwrap();
        let bucket = |bound: &str| {
            let start =
                format!("http_duration_seconds_bucket{{route=\"/v1/\\\"me\\\"\",le=\"{bound}\"}} ");
            let found = open
                .lines()
                .find_map(|line| line.strip_prefix(start.as_str()));
            found
                .unwrap_or_else(|| panic!("{start} is not in\n{open}"))
                .to_owned()
        };
        let id = |trace: &str| format!("{trace:0>32}");
        assert!(bucket("0.05").starts_with(&format!("2 # {{trace_id=\"{}\"}} 0.05 ", id("b"))));
        assert!(bucket("5").starts_with(&format!("3 # {{trace_id=\"{}\"}} 3 ", id("a"))));
        assert!(bucket("+Inf").starts_with(&format!("4 # {{trace_id=\"{}\"}} 99 ", id("b"))));
        assert_eq!(bucket("0.025"), "0");
        assert_eq!(
            bucket("0.1"),
            "2",
            "its own samples are those of no lower bucket"
        );
        assert!(!page.contains("trace_id"), "{page}");
    }

    #[test]
    fn a_sample_outside_of_a_sampled_trace_leads_nowhere() {
        let (_, open) = page_of(Some(Exemplars::default()), || {
            record(0.04);
            let _unsampled = within(0xa, TraceFlags::default());
            record(0.04);
        });
        assert!(!open.unwrap().contains("trace_id"));
    }

    #[test]
    fn it_is_written_as_open_metrics_wants_it() {
        let (_, open) = page_of(Some(Exemplars::default()), || {
            metrics::counter!("things_total").increment(3);
            metrics::describe_counter!("things_total", "Things, \"done\"");
            metrics::gauge!("depth").set(2.0);
        });
        let open = open.unwrap();
        for line in [
            "# HELP things Things, \\\"done\\\"",
            "# TYPE things counter",
            "things_total 3",
            "# TYPE depth gauge",
        ] {
            assert!(
                open.lines().any(|it| it == line),
                "{line} is not in\n{open}"
            );
        }
        assert!(
            !open.contains("\n\n") && open.ends_with("\n# EOF\n"),
            "{open}"
        );
    }

    #[test]
    fn where_no_traces_are_exported_there_is_the_plain_page_only() {
        let (page, open) = page_of(None, || {
            let _trace = within(0xa, TraceFlags::SAMPLED);
            record(0.04);
        });
        assert!(page.contains("http_duration_seconds_bucket"));
        assert_eq!(open, None);
    }
}
