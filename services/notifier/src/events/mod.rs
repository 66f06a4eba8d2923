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
//! from an event is one more line of [`settling`]. Nothing outside Postgres is
//! waited for: who is told later has a queue of its own.
//!
//! Events that come at the same time share a commit (`docs/decisions/0070`).

mod adding_up;
mod settling;

use std::sync::Arc;
use std::time::Duration;

use backbone::gather::{Gatherer, Limits};
use backbone::{Backbone, work};
use contracts::Message;
use streams::{Delivery, Failure, Handler};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tracing::{Instrument as _, Span};

use crate::sink::Sink;
use settling::{Fate, Settling, Taken};

pub(crate) use adding_up::keep_adding_up;

/// Most events of one commit.
const MOST: usize = 64;
/// Commits that are under way at the same time.
const AT_ONCE: usize = 2;
/// From one commit to the next, at least, unless it is full. Analytics is a second behind as
/// it is, and partners are told over the Internet.
const EVERY: Duration = Duration::from_millis(20);

/// Handles events.
pub(crate) struct Events {
    settling: Arc<Settling>,
    gatherer: Arc<Gatherer<(), Taken, Fate>>,
}

impl Handler for Events {
    async fn handle(&self, delivery: &Delivery) -> Result<(), Failure> {
        self.take(delivery).instrument(work::span(delivery)).await
    }

    async fn dead(&self, delivery: &Delivery, reason: &str) -> Result<(), String> {
        let Backbone { db, clock, .. } = &self.settling.backbone;
        work::bury(db, clock, delivery, reason).await
    }
}

impl Events {
    /// Of which `concurrency` are handled at the same time at most. `sink` is owed them
    /// besides; `deliveries` is notified when there is something to deliver to partners.
    pub(crate) fn new(
        backbone: Backbone,
        sink: Option<Sink>,
        deliveries: Arc<Notify>,
        concurrency: usize,
    ) -> Self {
        let limits = Limits {
            most: concurrency.clamp(1, MOST),
            at_once: AT_ONCE,
            every: EVERY,
        };
        Self {
            settling: Arc::new(Settling {
                backbone,
                sink,
                deliveries,
            }),
            gatherer: Gatherer::new(limits),
        }
    }

    async fn take(&self, delivery: &Delivery) -> Result<(), Failure> {
        if !matches!(delivery.envelope.message, Message::RecoveryEvent { .. }) {
            return Err(Failure::for_good("the entry carries no event"));
        }
        let taken = Taken {
            envelope: Arc::new(delivery.envelope.clone()),
            cause: self.settling.backbone.cause(),
            span: Span::current(),
        };
        let settled = match self.with_others(taken.clone()).await {
            Fate::Settled => Ok(()),
            Fate::Alone => self.settling.alone(&taken).await,
        };
        settled.map_err(work::failed)
    }

    /// With those that come at the same time.
    async fn with_others(&self, taken: Taken) -> Fate {
        let settling = Arc::clone(&self.settling);
        let settle = move |taken| Arc::clone(&settling).all(taken);
        let home = Handle::current();
        let settled = self.gatherer.with_others(&home, (), taken, settle).await;
        settled.unwrap_or(Fate::Alone)
    }
}
