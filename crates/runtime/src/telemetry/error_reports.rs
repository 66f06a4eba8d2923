//! Error reports to Sentry: events of level ERROR, panics and, if asked for, performance traces.
//!
//! Breadcrumbs are off: log lines of the same trace id tell more, and stay in the house.

use std::{sync::Arc, time::Duration};

use secrecy::ExposeSecret as _;
use sentry::{
    ClientInitGuard, ClientOptions, Envelope, Transport, TransportFactory, TransportOptions,
    integrations::tracing::{ErrorLayer, SpanLayer},
    protocol::{Context as ReportContext, EnvelopeItem, Event as Report, TraceContext, Value},
    transports::DefaultTransportFactory,
    types::Dsn,
};
use serde::{Serialize, de::DeserializeOwned};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, filter_fn},
    layer::Context,
    registry::LookupSpan,
};

use super::{TelemetryError, levels, scrub, span_ids};
use crate::{settings::Common, trace};

/// Reports that may wait to be sent; those beyond are dropped by the transport and counted by
/// Sentry as lost.
const QUEUE: usize = 100;

/// The longest that the end of the process waits for Sentry.
const FLUSH_LIMIT: Duration = Duration::from_secs(2);

/// Starts reporting, if there is a DSN.
pub(super) fn start(
    service: &'static str,
    version: &'static str,
    common: &Common,
) -> Result<Option<ClientInitGuard>, TelemetryError> {
    let Some(dsn) = &common.sentry_dsn else {
        return Ok(None);
    };
    let dsn: Dsn = dsn.expose_secret().parse()?;
    let options = options(service, version, common, dsn, DefaultTransportFactory);
    Ok(Some(sentry::init(options)))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "Sentry's rate is an f32, and a share of work needs no more digits"
)]
pub(super) fn options(
    service: &'static str,
    version: &'static str,
    common: &Common,
    dsn: Dsn,
    transport: impl TransportFactory + 'static,
) -> ClientOptions {
    let mut options = ClientOptions::new()
        .release(format!("{service}@{version}"))
        .environment(common.environment.as_str())
        .traces_sample_rate(common.sentry_traces_sample_rate.get() as f32)
        .max_breadcrumbs(0)
        .attach_stacktrace(true)
        .send_default_pii(false)
        .shutdown_timeout(FLUSH_LIMIT)
        .transport_channel_capacity(QUEUE)
        .transport(Scrubbing(transport))
        .before_send(|report| before_send(report));
    options.dsn = Some(dsn);
    options
}

/// The layer that reports events of level ERROR.
pub(super) fn layer<S>() -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    // Spans must pass too: what a filter holds back, its layer can't see around an event. Only those
    // that the hint promises: one beyond it is a panic where debug assertions are on.
    let errors = |metadata: &Metadata<'_>| {
        let most = if metadata.is_span() {
            levels::SPANS
        } else {
            LevelFilter::ERROR
        };
        *metadata.level() <= most
    };
    Reports(ErrorLayer::new()).with_filter(filter_fn(errors).with_max_level_hint(levels::SPANS))
}

/// The layer that makes performance traces, if there is a DSN and a sample rate.
pub(super) fn performance_layer<S>(common: &Common) -> Option<impl Layer<S> + use<S>>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let wanted = common.sentry_dsn.is_some() && !common.sentry_traces_sample_rate.is_zero();
    wanted.then(|| SpanLayer::new().with_filter(levels::SPANS))
}

/// Adds to Sentry's own layer whose work the event belongs to.
struct Reports(ErrorLayer);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Reports {
    fn on_event(&self, event: &Event<'_>, cx: Context<'_, S>) {
        let ids = span_ids::around(event, &cx);
        let tag = |scope: &mut sentry::Scope| {
            for (name, value) in &ids.0 {
                match value {
                    Value::String(text) => scope.set_tag(name, text),
                    other => scope.set_tag(name, other),
                }
            }
        };
        sentry::with_scope(tag, || self.0.on_event(event, cx.clone()));
    }
}

/// Cleans a report and gives it the id of the trace in which it happened. It runs on the thread
/// that reports, inside the span; panics pass here too.
pub(super) fn before_send(report: Report<'static>) -> Option<Report<'static>> {
    let mut report = scrubbed(report)?;
    if let Some((trace_id, span_id)) = trace::current_ids() {
        if let (Ok(trace_id), Ok(span_id)) = (trace_id.parse(), span_id.parse()) {
            let context = TraceContext {
                trace_id,
                span_id,
                ..TraceContext::default()
            };
            let context = ReportContext::Trace(Box::new(context));
            report.contexts.insert("trace".to_owned(), context);
        }
        report.tags.insert("trace_id".to_owned(), trace_id);
    }
    Some(report)
}

/// Nothing rather than something that could not be cleaned.
fn scrubbed<T: Serialize + DeserializeOwned>(report: T) -> Option<T> {
    let mut value = serde_json::to_value(report).ok()?;
    scrub::value(&mut value);
    serde_json::from_value(value).ok()
}

/// Cleans performance traces on their way out: `before_send` sees error reports only.
struct Scrubbing<T>(T);

impl<T: TransportFactory> TransportFactory for Scrubbing<T> {
    fn create_transport_with_options(&self, options: TransportOptions) -> Arc<dyn Transport> {
        Arc::new(Scrubbing(self.0.create_transport_with_options(options)))
    }
}

impl Transport for Scrubbing<Arc<dyn Transport>> {
    fn send_envelope(&self, envelope: Envelope) {
        let mut clean = Envelope::new().with_headers(envelope.headers().clone());
        for item in envelope.into_items() {
            match item {
                EnvelopeItem::Transaction(transaction) => {
                    if let Some(transaction) = scrubbed(transaction) {
                        clean.add_item(EnvelopeItem::Transaction(transaction));
                    }
                }
                item => clean.add_item(item),
            }
        }
        self.0.send_envelope(clean);
    }

    fn flush(&self, timeout: Duration) -> bool {
        self.0.flush(timeout)
    }

    fn shutdown(&self, timeout: Duration) -> bool {
        self.0.shutdown(timeout)
    }
}
