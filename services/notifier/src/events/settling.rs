//! What follows from events, in the transaction that settles them.

use std::collections::BTreeSet;
use std::sync::Arc;

use backbone::{Backbone, gather};
use contracts::Envelope;
use db::events::Event;
use db::partners::listeners_of_each;
use db::sink::Owing;
use db::{Cause, DbError, Tenant, Tx, outbox, rollups};
use domain::id::OrganizationId;
use tokio::sync::Notify;
use tracing::{Instrument as _, Span};

use crate::partners;
use crate::sink::Sink;

/// An entry that carries an event, and the work on it.
#[derive(Clone)]
pub(super) struct Taken {
    pub(super) envelope: Arc<Envelope>,
    /// Under its own trace, whoever it is committed with.
    pub(super) cause: Cause,
    pub(super) span: Span,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// All that follows from it has committed, now or before.
    Settled,
    /// Nothing: it has to be settled alone, which may take a while.
    Alone,
}

/// Whom events are owed to.
pub(super) struct Settling {
    pub(super) backbone: Backbone,
    pub(super) sink: Option<Sink>,
    /// Notified when there is something to deliver to partners.
    pub(super) deliveries: Arc<Notify>,
}

impl Settling {
    /// Settles events in one transaction, as far as may be; alone each of the others may find
    /// its way, or say what it is that is wrong with it.
    pub(super) async fn all(self: Arc<Self>, taken: Vec<Taken>) -> Vec<Fate> {
        metrics::histogram!("events_commit_size").record(gather::size(taken.len()));
        self.together(&taken).await.unwrap_or_else(|error| {
            tracing::debug!(%error, "events are settled one by one");
            vec![Fate::Alone; taken.len()]
        })
    }

    /// Settles events in one transaction, but those whose organization's days are being
    /// counted anew: they would hold up all the others.
    async fn together(&self, taken: &[Taken]) -> Result<Vec<Fate>, DbError> {
        let mut tx = self.backbone.db.begin(self.backbone.cause()).await?;
        let settled = self.settle_those_with_turns(&mut tx, taken).await;
        let (told, fates) = tx.end(settled).await?;
        self.tell_of(told);
        Ok(fates)
    }

    /// Settles one event, when it is its organization's turn.
    pub(super) async fn alone(&self, taken: &Taken) -> Result<(), DbError> {
        let mut tx = self.backbone.db.begin(taken.cause.clone()).await?;
        let settled = self.settle_in_turn(&mut tx, taken).await;
        let told = tx.end(settled).await?;
        self.tell_of(told);
        Ok(())
    }

    async fn settle_those_with_turns(
        &self,
        tx: &mut Tx,
        taken: &[Taken],
    ) -> Result<(usize, Vec<Fate>), DbError> {
        let organizations = taken.iter().map(|it| it.envelope.organization);
        // Each once, in one order for everybody.
        let organizations: Vec<_> = organizations.collect::<BTreeSet<_>>().into_iter().collect();
        let turns = rollups::turns(tx.conn(), &organizations).await?;
        let has_turn = |it: &Taken| turns.contains(&it.envelope.organization);
        let these: Vec<&Taken> = taken.iter().filter(|it| has_turn(it)).collect();
        let told = self.settle(tx, &these, &turns).await?;
        let fate = |it: &Taken| {
            if has_turn(it) {
                Fate::Settled
            } else {
                Fate::Alone
            }
        };
        Ok((told, taken.iter().map(fate).collect()))
    }

    async fn settle_in_turn(&self, tx: &mut Tx, taken: &Taken) -> Result<usize, DbError> {
        let tenant = Tenant::of_envelope(&taken.envelope);
        rollups::wait_for_turn(tx.conn(), tenant).await?;
        self.settle(tx, &[taken], &[tenant.organization()]).await
    }

    /// All that follows from events of these organizations within Postgres, once for each of
    /// them; answers how many partner webhooks are due now.
    async fn settle(
        &self,
        tx: &mut Tx,
        taken: &[&Taken],
        organizations: &[OrganizationId],
    ) -> Result<usize, DbError> {
        let ids: Vec<_> = taken.iter().map(|it| it.envelope.outbox).collect();
        let first_time = outbox::settle_all(tx.conn(), &ids).await?;
        let news: Vec<(&Taken, Event<'_>)> = taken
            .iter()
            .filter(|it| first_time.contains(&it.envelope.outbox))
            .filter_map(|it| Some((*it, Event::of(&it.envelope)?)))
            .collect();
        if news.is_empty() {
            return Ok(0);
        }
        let events: Vec<Event<'_>> = news.iter().map(|(_, event)| *event).collect();
        let conn = &*tx.conn();
        let ((), listeners) = tokio::try_join!(
            rollups::count(conn, &events),
            listeners_of_each(conn, organizations),
        )?;
        let mut told = 0;
        for (taken, event) in &news {
            if let Some(listeners) = listeners.get(&event.tenant.organization()) {
                let telling = partners::tell(tx, event, listeners);
                told += telling.instrument(taken.span.clone()).await?;
            }
        }
        if self.sink.is_some() {
            let owing: Vec<Owing<'_>> = news
                .iter()
                .filter_map(|(taken, event)| {
                    let owing = || Sink::owing(&taken.envelope, *event, &taken.cause);
                    taken.span.in_scope(owing)
                })
                .collect();
            db::sink::owe(tx, &owing).await?;
        }
        Ok(told)
    }

    /// Wakes up who delivers.
    fn tell_of(&self, told: usize) {
        if told > 0 {
            self.deliveries.notify_one();
        }
        if let Some(sink) = &self.sink {
            sink.news.notify_one();
        }
    }
}
