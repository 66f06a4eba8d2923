//! Consuming: the span of a unit of work, and its dead letter.

use contracts::Envelope;
use db::{Db, DbError};
use runtime::clock::SharedClock;
use runtime::trace::{self, TraceContext};
use streams::{Delivery, Failure};
use tracing::Span;

/// The trace that an envelope carries.
pub fn trace_of(envelope: &Envelope) -> TraceContext {
    TraceContext {
        traceparent: envelope.traceparent.clone(),
        tracestate: envelope.tracestate.clone(),
    }
}

/// The span in which an entry is worked on: it continues the trace in which the entry
/// was published. Named and marked by OpenTelemetry's conventions for messaging.
pub fn span(delivery: &Delivery) -> Span {
    let envelope = &delivery.envelope;
    let stream = delivery.stream.as_str();
    let span = tracing::info_span!(
        "stream.process",
        otel.name = format!("process {stream}"),
        otel.kind = "consumer",
        messaging.system = "redis",
        messaging.operation.name = "process",
        messaging.operation.type = "process",
        messaging.destination.name = stream,
        messaging.consumer.group.name = crate::group_of(delivery.stream),
        messaging.message.id = %delivery.entry,
        organization.id = %envelope.organization,
        recovery.id = envelope.message.recovery().map(tracing::field::display),
    );
    trace::continue_from(&span, &trace_of(envelope));
    span
}

/// Records a dead letter in its outbox row, so that the sweeper leaves it alone
/// until someone replays it.
pub async fn bury(
    db: &Db,
    clock: &SharedClock,
    delivery: &Delivery,
    reason: &str,
) -> Result<(), String> {
    let buried = async {
        let mut conn = db.read().await?;
        db::outbox::bury(&mut conn, delivery.envelope.outbox, reason, clock.now()).await
    };
    buried.await.map_err(|error: DbError| error.to_string())
}

/// A database error, said to the stream: trouble that passes comes back, and so
/// does what may be a bug that the next version mends; the dead letter waits for it.
pub fn failed(error: DbError) -> Failure {
    Failure::retry(error)
}
