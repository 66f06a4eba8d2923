//! The analytics sink: every event of the stream, as a `CloudEvent`, to a RabbitMQ.
//!
//! An event is settled only after the broker has confirmed that it holds it. A
//! broker that is away holds up this stream and nothing else: the entries wait in
//! their handlers, up to the consumer's concurrency, then come back with back-off
//! as often as it takes. Without a sink events are settled unpublished.

mod cloud_event;
mod publisher;

use std::time::Duration;

use backbone::{Backbone, work};
use contracts::Message;
use db::DbError;
use runtime::outgoing::Call;
use runtime::trace::TraceContext;
use streams::{Delivery, Failure, Handler};
use tracing::Instrument as _;

pub(crate) use publisher::{Publisher, keep_connected};

/// How long a handler waits for a broker that is away before the entry goes back.
const PATIENCE: Duration = Duration::from_secs(20);

/// Publishes events, or only settles them.
pub(crate) struct Sink {
    pub(crate) backbone: Backbone,
    pub(crate) publisher: Option<Publisher>,
}

impl Handler for Sink {
    async fn handle(&self, delivery: &Delivery) -> Result<(), Failure> {
        self.take(delivery).instrument(work::span(delivery)).await
    }

    async fn dead(&self, delivery: &Delivery, reason: &str) -> Result<(), String> {
        work::bury(&self.backbone.db, &self.backbone.clock, delivery, reason).await
    }
}

impl Sink {
    async fn take(&self, delivery: &Delivery) -> Result<(), Failure> {
        let Message::RecoveryEvent { kind, event_id, .. } = &delivery.envelope.message else {
            return Err(Failure::for_good("the entry carries no event"));
        };
        if let Some(publisher) = &self.publisher {
            let trace = TraceContext::current();
            let body = cloud_event::of(&delivery.envelope, &trace).map_err(Failure::for_good)?;
            let span = tracing::info_span!(
                "events.publish",
                otel.name = format!("publish {kind}"),
                otel.kind = "producer",
                messaging.system = "rabbitmq",
                messaging.operation.type = "send",
                messaging.destination.name = publisher::EXCHANGE,
            );
            let call = Call::start("rabbitmq", "publish");
            let publishing = publisher.publish(kind, *event_id, &body, PATIENCE);
            let published = publishing.instrument(span).await;
            call.finish(if published.is_ok() { "ok" } else { "failed" });
            published.map_err(Failure::retry)?;
        }
        self.settle(delivery).await.map_err(work::failed)
    }

    async fn settle(&self, delivery: &Delivery) -> Result<(), DbError> {
        let mut conn = self.backbone.db.read().await?;
        db::outbox::settle(&mut conn, delivery.envelope.outbox).await?;
        Ok(())
    }
}
