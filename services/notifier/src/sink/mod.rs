//! The analytics sink: every event of the stream, as a `CloudEvent`, to a RabbitMQ.
//!
//! An event is settled only after the broker has confirmed that it holds it. A
//! broker that is away holds up this stream and nothing else: the entries wait in
//! their handlers, up to the consumer's concurrency, then come back with back-off
//! as often as it takes.

mod cloud_event;
mod publisher;

use std::time::Duration;

use contracts::Envelope;
use db::events::Event;
use runtime::outgoing::Call;
use runtime::trace::TraceContext;
use streams::Failure;
use tracing::Instrument as _;

pub(crate) use publisher::{Publisher, keep_connected};

/// How long a handler waits for a broker that is away before the entry goes back.
const PATIENCE: Duration = Duration::from_secs(20);

/// Publishes events.
#[derive(Clone)]
pub(crate) struct Sink(pub(crate) Publisher);

impl Sink {
    /// Publishes an event, and waits until the broker holds it.
    pub(crate) async fn publish(
        &self,
        envelope: &Envelope,
        event: &Event<'_>,
    ) -> Result<(), Failure> {
        let trace = TraceContext::current();
        let body = cloud_event::of(envelope, &trace).map_err(Failure::for_good)?;
        let span = tracing::info_span!(
            "events.publish",
            otel.name = format!("publish {}", event.kind),
            otel.kind = "producer",
            messaging.system = "rabbitmq",
            messaging.operation.type = "send",
            messaging.destination.name = publisher::EXCHANGE,
        );
        let call = Call::start("rabbitmq", "publish");
        let publishing = self.0.publish(event.kind, event.id, &body, PATIENCE);
        let published = publishing.instrument(span).await;
        call.finish(if published.is_ok() { "ok" } else { "failed" });
        published.map_err(Failure::retry)
    }

    /// Whether there is a connection, for readiness.
    pub(crate) fn is_connected(&self) -> bool {
        self.0.is_connected()
    }
}
