//! The analytics sink: every event, as a `CloudEvent`, to a RabbitMQ.
//!
//! ```text
//! event ──settled──> sink_events row ──claim (lease)──> Dispatcher ──publish, confirmed──> row deleted
//! ```
//!
//! - An event is owed to the sink by the transaction that settles it, and its row is
//!   deleted only after the broker has confirmed that it holds it: at least once,
//!   under the event's own id.
//! - What waits for a broker that is away waits in Postgres, and holds up nothing else:
//!   neither the stream, nor roll-ups, nor partners (`docs/decisions/0053`).

mod cloud_event;
mod dispatcher;
mod publisher;

use std::sync::Arc;

use contracts::Envelope;
use db::Cause;
use db::events::Event;
use db::sink::Owing;
use runtime::trace::TraceContext;
use tokio::sync::Notify;

pub(crate) use dispatcher::{Dispatcher, measure};
pub(crate) use publisher::keep_connected;

/// Owes events to the sink.
#[derive(Clone, Default)]
pub(crate) struct Sink {
    /// Notified when there is something to publish.
    pub(crate) news: Arc<Notify>,
}

impl Sink {
    /// The event as it is owed to the sink.
    ///
    /// An event that cannot be written is a fault of ours; it is counted and passed
    /// over, since it would hold up all that follows from it besides.
    pub(crate) fn owing<'a>(
        envelope: &Envelope,
        event: Event<'a>,
        cause: &Cause,
    ) -> Option<Owing<'a>> {
        let trace = TraceContext {
            traceparent: cause.traceparent.clone(),
            tracestate: cause.tracestate.clone(),
        };
        match cloud_event::of(envelope, &trace) {
            Ok(body) => Some(Owing {
                event,
                body,
                trace: cause.trace(),
            }),
            Err(fault) => {
                metrics::counter!("sink_events_unreadable_total").increment(1);
                tracing::error!(error = %fault, "the analytics sink is not told of an event");
                None
            }
        }
    }
}
