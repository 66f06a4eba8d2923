//! Exemplars: of each bucket of a histogram, the trace of its last sample.
//!
//! The recorder underneath knows none, so they are kept beside it. Only a sample that is taken
//! within a sampled span has one, by a handle that was made within a sampled span as well: the
//! `histogram!` macro makes one for each sample.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use chrono::{DateTime, Utc};
use metrics::{
    Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use opentelemetry::{Context, TraceId, trace::TraceContextExt as _};

use super::prometheus;
use crate::clock::{Clock as _, SystemClock};

/// Those of all histograms. As many as there are buckets, and as bounded as labels are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exemplars(Arc<RwLock<HashMap<Key, Arc<Series>>>>);

/// A sample, and where it was taken. It shows as OpenMetrics writes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exemplar {
    trace_id: TraceId,
    value: f64,
    at: DateTime<Utc>,
}

impl fmt::Display for Exemplar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, millis) = (self.at.timestamp(), self.at.timestamp_subsec_millis());
        let Self {
            trace_id, value, ..
        } = self;
        write!(
            f,
            "{{trace_id=\"{trace_id}\"}} {value} {seconds}.{millis:03}"
        )
    }
}

/// A histogram with its labels.
#[derive(Debug)]
pub(super) struct Series {
    bounds: &'static [f64],
    /// By bucket; the last one has no bound.
    last: Mutex<Vec<Option<Exemplar>>>,
}

impl Series {
    fn of(key: &Key) -> Self {
        let bounds = prometheus::buckets_of(key.name());
        Self {
            bounds,
            last: Mutex::new(vec![None; bounds.len() + 1]),
        }
    }

    fn note(&self, exemplar: Exemplar) {
        let bucket = self.bounds.partition_point(|bound| *bound < exemplar.value);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last[bucket] = Some(exemplar);
    }

    /// The exemplar of the bucket whose upper bound is written as `bound`.
    pub(super) fn of_bucket(&self, bound: &str) -> Option<Exemplar> {
        let written = |it: &f64| it.to_string() == bound;
        let bucket = self.bounds.iter().position(written);
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last.get(bucket.unwrap_or(self.bounds.len()))?
    }
}

impl Exemplars {
    fn of(&self, key: &Key) -> Arc<Series> {
        let found = {
            let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
            all.get(key).map(Arc::clone)
        };
        found.unwrap_or_else(|| {
            let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
            let series = all.entry(key.clone());
            Arc::clone(series.or_insert_with(|| Arc::new(Series::of(key))))
        })
    }

    /// All series, by what stands on a bucket's line before its bound.
    pub(super) fn by_line(&self) -> HashMap<String, Arc<Series>> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let line = |key: &Key| {
            let labels = key.labels().map(|label| {
                let value = label.value().replace('\\', "\\\\").replace('"', "\\\"");
                format!("{}=\"{}\",", label.key(), value.replace('\n', "\\n"))
            });
            format!("{}_bucket{{{}le=\"", key.name(), labels.collect::<String>())
        };
        let series = all.iter();
        series
            .map(|(key, it)| (line(key), Arc::clone(it)))
            .collect()
    }
}

/// A recorder that keeps exemplars, if there is where to.
#[derive(Debug)]
pub(crate) struct WithExemplars<R> {
    pub(crate) recorder: R,
    pub(crate) exemplars: Option<Exemplars>,
}

impl<R: Recorder> Recorder for WithExemplars<R> {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.recorder.describe_counter(key, unit, description);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.recorder.describe_gauge(key, unit, description);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.recorder.describe_histogram(key, unit, description);
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        self.recorder.register_counter(key, metadata)
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        self.recorder.register_gauge(key, metadata)
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        let histogram = self.recorder.register_histogram(key, metadata);
        match &self.exemplars {
            Some(exemplars) if sampled().is_some() => Histogram::from_arc(Arc::new(Traced {
                histogram,
                series: exemplars.of(key),
            })),
            _ => histogram,
        }
    }
}

struct Traced {
    histogram: Histogram,
    series: Arc<Series>,
}

impl HistogramFn for Traced {
    fn record(&self, value: f64) {
        self.histogram.record(value);
        if let Some(trace_id) = sampled() {
            let at = SystemClock.now();
            self.series.note(Exemplar {
                trace_id,
                value,
                at,
            });
        }
    }
}

/// The trace that is under way, if it is one that is exported.
fn sampled() -> Option<TraceId> {
    Context::map_current(|context| {
        let span = context.span();
        let context = span.span_context();
        (context.is_valid() && context.is_sampled()).then(|| context.trace_id())
    })
}
