//! Putting committed events on their streams, each in a span of its own.

use chrono::{DateTime, Utc};
use contracts::Envelope;
use runtime::trace::{self, TraceContext};
use streams::{Streams, StreamsError};
use tracing::{Span, field};

use crate::work;

/// Publishes events in one pipeline, and gives each the trace context of its publishing:
/// that is the parent of whatever consumes it.
///
/// An event that leaves long after its transaction (Redis was away, a dead letter is
/// replayed) starts a trace that is linked to that of the transaction.
pub(crate) async fn publish(
    streams: &Streams,
    now: DateTime<Utc>,
    batch: &mut [Envelope],
) -> Result<(), StreamsError> {
    let spans: Vec<Span> = batch.iter_mut().map(|event| stamp(event, now)).collect();
    let published = streams.publish(batch).await;
    if published.is_err() {
        for span in &spans {
            span.record("otel.status_code", "ERROR");
        }
    }
    published
}

/// Where nobody traces, the event keeps the context that it has.
fn stamp(event: &mut Envelope, now: DateTime<Utc>) -> Span {
    let span = span(event);
    trace::follow(&span, &work::trace_of(event), now - event.created_at);
    let own = TraceContext::of(&span);
    if !own.is_empty() {
        event.traceparent = own.traceparent;
        event.tracestate = own.tracestate;
    }
    span
}

/// Named and marked by OpenTelemetry's conventions for messaging. Redis has not numbered
/// the entry yet, so it is known by its outbox row.
fn span(event: &Envelope) -> Span {
    let stream = event.stream().as_str();
    tracing::info_span!(
        parent: None,
        "stream.publish",
        otel.name = format!("publish {stream}"),
        otel.kind = "producer",
        otel.status_code = field::Empty,
        messaging.system = "redis",
        messaging.operation.name = "publish",
        messaging.operation.type = "send",
        messaging.destination.name = stream,
        outbox.id = %event.outbox,
        organization.id = %event.organization,
        recovery.id = event.message.recovery().map(field::display),
    )
}
