//! What follows from an event, all of it in the transaction that settles it:
//!
//! ```text
//! entry ──> outbox row deleted ─┬─> counted in the roll-ups
//!           (none left: a copy) ├─> queued for partners
//!                               └─> owed to the sink, if there is one
//! ```
//!
//! The row's deletion is what makes it happen once, whatever is delivered twice,
//! to however many consumers (`docs/decisions/0001`). Whatever else has to follow
//! from an event is one more line of [`Events::effect`]. Nothing outside Postgres is
//! waited for: who is told later has a queue of its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use backbone::{Backbone, work};
use contracts::Envelope;
use db::DbError;
use db::events::Event;
use db::{Tx, outbox, rollups};
use streams::{Delivery, Failure, Handler};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::partners;
use crate::sink::Sink;

/// Most counts added up in one transaction.
const FOLD_BATCH: i64 = 20_000;
/// Between two rounds of adding up: how late analytics may be.
const FOLD_EVERY: Duration = Duration::from_secs(1);

/// Handles events.
pub(crate) struct Events {
    pub(crate) backbone: Backbone,
    /// Who is owed them besides.
    pub(crate) sink: Option<Sink>,
    /// Notified when there is something to deliver to partners.
    pub(crate) deliveries: Arc<Notify>,
}

impl Handler for Events {
    async fn handle(&self, delivery: &Delivery) -> Result<(), Failure> {
        self.take(delivery).instrument(work::span(delivery)).await
    }

    async fn dead(&self, delivery: &Delivery, reason: &str) -> Result<(), String> {
        work::bury(&self.backbone.db, &self.backbone.clock, delivery, reason).await
    }
}

impl Events {
    async fn take(&self, delivery: &Delivery) -> Result<(), Failure> {
        let Some(event) = Event::of(&delivery.envelope) else {
            return Err(Failure::for_good("the entry carries no event"));
        };
        let settled = self.settle(&delivery.envelope, &event).await;
        settled.map_err(work::failed)
    }

    async fn settle(&self, envelope: &Envelope, event: &Event<'_>) -> Result<(), DbError> {
        let mut tx = self.backbone.db.begin(self.backbone.cause()).await?;
        if !outbox::settle(tx.conn(), event.outbox).await? {
            return tx.roll_back().await;
        }
        let effect = self.effect(&mut tx, envelope, event).await?;
        tx.commit().await?;
        if effect.told > 0 {
            self.deliveries.notify_one();
        }
        if let Some(sink) = &self.sink {
            sink.news.notify_one();
        }
        Ok(())
    }

    /// All that follows from an event within Postgres.
    async fn effect(
        &self,
        tx: &mut Tx,
        envelope: &Envelope,
        event: &Event<'_>,
    ) -> Result<Effect, DbError> {
        rollups::count(tx, event).await?;
        let told = partners::tell(tx, event).await?;
        if let Some(sink) = &self.sink {
            sink.owe(tx, envelope, event).await?;
        }
        Ok(Effect { told })
    }
}

/// What followed.
struct Effect {
    /// Partner webhooks that are due now.
    told: usize,
}

/// Adds up what was counted, until `stop`. Every replica does; one at a time is at it.
///
/// How far analytics is behind is told as the time since everything was added up; a replica that another one keeps from
/// it is not behind.
pub(crate) async fn keep_adding_up(backbone: Backbone, stop: CancellationToken) {
    let mut up_to_date = Instant::now();
    while !stop.is_cancelled() {
        match add_up(&backbone, up_to_date).await {
            Ok(()) => up_to_date = Instant::now(),
            Err(error) => {
                tracing::warn!(%error, "what was counted for analytics was not added up");
            }
        }
        behind(up_to_date);
        stop.run_until_cancelled(tokio::time::sleep(FOLD_EVERY))
            .await;
    }
}

fn behind(up_to_date: Instant) {
    metrics::gauge!("rollups_behind_seconds").set(up_to_date.elapsed());
}

async fn add_up(backbone: &Backbone, up_to_date: Instant) -> Result<(), DbError> {
    loop {
        let mut tx = backbone.db.begin(backbone.cause()).await?;
        let moved = rollups::fold(&mut tx, FOLD_BATCH).await?;
        tx.commit().await?;
        if moved == 0 {
            return Ok(());
        }
        behind(up_to_date);
    }
}
