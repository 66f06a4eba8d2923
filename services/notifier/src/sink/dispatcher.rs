//! Publishes what is owed to the sink, in batches, while there is a connection.

use std::sync::Arc;
use std::time::Duration;

use backbone::Backbone;
use chrono::TimeDelta;
use db::DbError;
use db::sink::{self, Owed};
use runtime::outgoing::Call;
use runtime::trace::{self, TraceContext};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use uuid::Uuid;

use super::publisher::{EXCHANGE, Publisher};

/// Most events published at once by one process.
const BATCH: i64 = 256;
/// How late a process looks for what another one has owed or left.
const POLL: Duration = Duration::from_secs(1);
/// The pause after the broker or Postgres did not do as asked.
const AFTER_TROUBLE: Duration = Duration::from_millis(500);
/// How long a broker may take to confirm a batch.
const PATIENCE: Duration = Duration::from_secs(20);
/// Longer than a batch and its record may take.
const LEASE: TimeDelta = TimeDelta::seconds(60);

/// Publishes until it is told to stop.
pub(crate) struct Dispatcher {
    pub(crate) backbone: Backbone,
    pub(crate) publisher: Publisher,
    /// Notified when there is something to publish.
    pub(crate) news: Arc<Notify>,
}

/// How a round went.
enum Round {
    /// Nothing was owed.
    Idle,
    /// All that was claimed is published.
    Published,
    /// Some of it is not.
    Trouble,
}

impl Dispatcher {
    /// Publishes until `stop`; a batch that is under way then ends first.
    pub(crate) async fn run(self, stop: CancellationToken) {
        while let Some(true) = stop.run_until_cancelled(self.publisher.connected()).await {
            match self.round().await {
                Ok(Round::Published) => {}
                Ok(Round::Idle) => tokio::select! {
                    () = stop.cancelled() => return,
                    () = self.news.notified() => {}
                    () = tokio::time::sleep(POLL) => {}
                },
                Ok(Round::Trouble) => self.rest(&stop).await,
                Err(error) => {
                    tracing::warn!(%error, "what the analytics sink is owed was not seen to");
                    self.rest(&stop).await;
                }
            }
        }
    }

    async fn rest(&self, stop: &CancellationToken) {
        stop.run_until_cancelled(tokio::time::sleep(AFTER_TROUBLE))
            .await;
    }

    async fn round(&self) -> Result<Round, DbError> {
        let now = self.backbone.clock.now();
        let claimed = {
            let mut conn = self.backbone.db.read().await?;
            sink::claim(&mut conn, now, now + LEASE, BATCH).await?
        };
        if claimed.is_empty() {
            return Ok(Round::Idle);
        }
        let publishing = claimed.iter().map(|owed| self.publish(owed));
        let published = futures_util::future::join_all(publishing).await;
        let (done, left): (Vec<_>, Vec<_>) =
            claimed.iter().zip(published).partition(|(_, done)| *done);
        let ids = |events: Vec<(&Owed, bool)>| -> Vec<Uuid> {
            events.into_iter().map(|(owed, _)| owed.id).collect()
        };
        let (done, left) = (ids(done), ids(left));
        let mut conn = self.backbone.db.read().await?;
        sink::done(&mut conn, &done).await?;
        if left.is_empty() {
            return Ok(Round::Published);
        }
        sink::hand_back(&mut conn, &left).await?;
        Ok(Round::Trouble)
    }

    /// Publishes an event; answers whether the broker holds it.
    async fn publish(&self, owed: &Owed) -> bool {
        let span = tracing::info_span!(
            "events.publish",
            otel.name = format!("publish {}", owed.kind),
            otel.kind = "producer",
            messaging.system = "rabbitmq",
            messaging.operation.type = "send",
            messaging.destination.name = EXCHANGE,
            messaging.message.id = %owed.id,
        );
        let cause = TraceContext {
            traceparent: owed.traceparent.clone(),
            tracestate: owed.tracestate.clone(),
        };
        trace::continue_from(&span, &cause);
        let call = Call::start("rabbitmq", "publish");
        let publishing = self.publisher.publish(owed, PATIENCE);
        match publishing.instrument(span).await {
            Ok(()) => {
                call.finish("ok");
                true
            }
            Err(error) => {
                call.finish("failed");
                tracing::debug!(%error, event.id = %owed.id, "an event stays owed to the analytics sink");
                false
            }
        }
    }
}

/// Measures what waits for the sink.
pub(crate) async fn measure(backbone: &Backbone) -> Result<(), DbError> {
    let mut conn = backbone.db.read().await?;
    let waiting = sink::waiting(&mut conn, backbone.clock.now()).await?;
    // Counted up to 10,000.
    let events = u32::try_from(waiting.events).unwrap_or(u32::MAX);
    metrics::gauge!("sink_events_waiting").set(events);
    metrics::gauge!("sink_oldest_waiting_seconds").set(waiting.oldest.to_std().unwrap_or_default());
    Ok(())
}
