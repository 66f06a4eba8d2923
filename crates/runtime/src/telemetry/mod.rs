//! Logs, traces, metrics and error reports, set up once for the process.
//!
//! - **Logs** go to standard error, one JSON object a line (or text for people): `timestamp`,
//!   `level`, `target`, `message`, `service`, `trace_id`, `span_id`, the innermost `span`, every
//!   field of an enclosing span whose name ends in `.id` (`recovery.id`, `organization.id`), and the
//!   event's own fields.
//! - **Traces**: spans of level INFO and above, whatever the log level is, go to the collector in
//!   batches from a bounded queue. A collector that is slow or away costs spans, never time; lost
//!   spans are counted in `telemetry_spans_total{outcome="dropped"|"failed"}`. Without a collector
//!   spans still have ids.
//! - **Metrics**: whatever is recorded through the `metrics` crate is read as Prometheus text from
//!   [`Telemetry::metrics`]. Histograms ending in `_delay_seconds` or `_age_seconds` count from a
//!   second to a week, those ending in `_size` count things, all others are short durations in
//!   seconds. Where traces are exported, a Prometheus that asks for OpenMetrics gets exemplars: of
//!   each bucket the trace of its last sample.
//! - **Errors**: events of level ERROR and panics go to Sentry when there is a DSN, with the trace
//!   id and the ids of the enclosing spans, and without payer data.

mod error_reports;
mod exemplars;
mod export;
mod levels;
mod log_lines;
mod page;
mod prometheus;
mod scrub;
mod span_ids;
#[cfg(test)]
mod tests;

use std::time::Duration;

use opentelemetry::{KeyValue, trace::TracerProvider as _};
use opentelemetry_otlp::ExporterBuildError;
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracerProvider},
};
use sentry::ClientInitGuard;
use tokio::task::JoinHandle;
use tracing_subscriber::{Layer as _, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::settings::Common;
use exemplars::{Exemplars, WithExemplars};

pub use page::Metrics;
pub(crate) use prometheus::recorder;

/// The longest that [`Telemetry::shutdown`] waits for the collector.
const FLUSH_LIMIT: Duration = Duration::from_secs(5);

/// How often histograms' samples are folded into their buckets, so that a process that nobody
/// scrapes does not grow.
const UPKEEP: Duration = Duration::from_secs(5);

/// Telemetry as it runs; keep it until the end and then call [`Telemetry::shutdown`].
#[must_use = "dropping it without shutdown() loses what has not been sent"]
pub struct Telemetry {
    metrics: Metrics,
    traces: SdkTracerProvider,
    errors: Option<ClientInitGuard>,
    upkeep: JoinHandle<()>,
}

/// Why telemetry could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The log directives are not understood.
    #[error("LOG_LEVEL is not understood: {0}")]
    LogLevel(#[from] tracing_subscriber::filter::ParseError),
    /// The collector's address can't be used.
    #[error("OTEL_EXPORTER_OTLP_ENDPOINT can't be used: {0}")]
    Collector(#[from] ExporterBuildError),
    /// The DSN can't be used; its text is not shown.
    #[error("SENTRY_DSN is not a Sentry DSN: {0}")]
    Dsn(#[from] sentry::types::ParseDsnError),
    /// The histogram buckets can't be used.
    #[error("the metrics recorder can't be built: {0}")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
    /// Someone else has set it up already.
    #[error("telemetry is set up already in this process ({0})")]
    AlreadySetUp(&'static str),
    /// It was called where no Tokio run-time is.
    #[error("telemetry must be set up inside the Tokio run-time: {0}")]
    NoRuntime(#[from] tokio::runtime::TryCurrentError),
}

/// Sets up telemetry for the process. `service` and `version` mark everything that leaves.
///
/// Call it once, inside the Tokio run-time that does the work, before anything logs.
pub fn init(
    service: &'static str,
    version: &'static str,
    common: &Common,
) -> Result<Telemetry, TelemetryError> {
    let runtime = tokio::runtime::Handle::try_current()?;
    let traces = tracer_provider(service, version, common)?;
    let errors = error_reports::start(service, version, common)?;
    let logs = log_lines::layer(service, common, std::io::stderr)?;
    tracing_subscriber::registry()
        .with(span_ids::SpanIds.with_filter(levels::SPANS))
        .with(
            tracing_opentelemetry::layer()
                .with_tracer(traces.tracer(service))
                .with_location(false)
                .with_threads(false)
                .with_target(false)
                .with_tracked_inactivity(false)
                .with_filter(levels::SPANS),
        )
        .with(errors.as_ref().map(|_| error_reports::layer()))
        .with(error_reports::performance_layer(common))
        .with(logs)
        .try_init()
        .map_err(|_| TelemetryError::AlreadySetUp("logs"))?;
    let recorder = recorder()?;
    let exemplars = common.otlp_endpoint.is_some().then(Exemplars::default);
    let metrics = Metrics::new(recorder.handle(), exemplars.clone());
    let recorder = WithExemplars {
        recorder,
        exemplars,
    };
    metrics::set_global_recorder(recorder).map_err(|_| TelemetryError::AlreadySetUp("metrics"))?;
    prometheus::describe();
    Ok(Telemetry {
        upkeep: runtime.spawn(keep_up(metrics.clone())),
        metrics,
        traces,
        errors,
    })
}

impl Telemetry {
    /// Reads the metrics; the admin server shows them at `/metrics`.
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }

    /// Sends what has not been sent yet, for some seconds at most, and ends.
    pub async fn shutdown(self) {
        self.upkeep.abort();
        let (traces, errors) = (self.traces, self.errors);
        // Both block their thread while the run-time's own tasks do the sending.
        let flushed = tokio::task::spawn_blocking(move || {
            drop(errors);
            traces.shutdown_with_timeout(FLUSH_LIMIT)
        });
        if let Ok(Err(error)) = flushed.await {
            tracing::warn!(%error, "the last spans may not have reached the collector");
        }
    }
}

fn tracer_provider(
    service: &'static str,
    version: &'static str,
    common: &Common,
) -> Result<SdkTracerProvider, TelemetryError> {
    let resource = Resource::builder()
        .with_service_name(service)
        .with_attributes([
            KeyValue::new("service.namespace", "tinko"),
            KeyValue::new("service.version", version),
            KeyValue::new("deployment.environment.name", common.environment.as_str()),
        ])
        .build();
    let ratio = Sampler::TraceIdRatioBased(common.trace_sample_ratio.get());
    let builder = SdkTracerProvider::builder()
        .with_resource(resource)
        .with_sampler(Sampler::ParentBased(Box::new(ratio)));
    Ok(match &common.otlp_endpoint {
        Some(endpoint) => builder
            .with_span_processor(export::to_collector(endpoint)?)
            .build(),
        None => builder.build(),
    })
}

async fn keep_up(metrics: Metrics) {
    let mut tick = tokio::time::interval(UPKEEP);
    loop {
        tick.tick().await;
        metrics.run_upkeep();
    }
}
