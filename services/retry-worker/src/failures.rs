//! A recorded failure is planned.
//!
//! Failures of an organization that come at the same time are planned in one transaction
//! (`docs/decisions/0070`), one after the other, each under its own trace.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use backbone::gather::{self, Gatherer, Limits};
use backbone::work;
use chrono::{DateTime, Utc};
use contracts::Message;
use db::facts::Read;
use db::recoveries::StoredRecovery;
use db::{Conn, DbError, Tenant, Trace, Tx};
use domain::AttemptKind;
use domain::classification::Hardness;
use domain::id::{OrganizationId, OutboxId, RecoveryId};
use futures_util::future::try_join_all;
use streams::{Delivery, Failure, Handler};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tracing::{Instrument, Span};

use crate::Worker;
use crate::attempts::message;
use crate::plan::{self, Followed, Planned};

/// A flood fills a transaction as far as this; whoever waits for a recovery of it, a payment
/// say, waits for that long.
const LIMITS: Limits = Limits {
    most: 16,
    at_once: 3,
    every: Duration::ZERO,
};
/// Transactions of all organizations at the same time: charges and messages want connections
/// too.
const TRANSACTIONS: usize = 6;

/// Plans what `failures` carries.
pub struct FailurePlanner {
    planning: Arc<Planning>,
    /// By organization: none waits for another one.
    gatherer: Arc<Gatherer<OrganizationId, Recorded, Fate>>,
}

/// A failure that was recorded, and the work on it.
#[derive(Clone)]
struct Recorded {
    tenant: Tenant,
    recovery: RecoveryId,
    outbox: OutboxId,
    /// Its own, whoever it is planned with.
    trace: Trace,
    span: Span,
}

/// What became of a failure among others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Its plan has committed, now or before.
    Planned,
    /// It has to be planned alone.
    Alone,
}

impl FailurePlanner {
    /// A planner that works as `worker`.
    pub fn new(worker: Worker) -> Self {
        let places = Semaphore::new(TRANSACTIONS);
        Self {
            planning: Arc::new(Planning { worker, places }),
            gatherer: Gatherer::new(LIMITS),
        }
    }

    async fn plan(&self, delivery: &Delivery, recovery: RecoveryId) -> Result<(), DbError> {
        let recorded = Recorded {
            tenant: Tenant::of_envelope(&delivery.envelope),
            recovery,
            outbox: delivery.envelope.outbox,
            trace: self.planning.worker.backbone.cause().trace(),
            span: Span::current(),
        };
        match self.with_others(recorded.clone()).await {
            Fate::Planned => Ok(()),
            Fate::Alone => self.planning.plan(&[recorded]).await,
        }
    }

    /// With those of its organization that come at the same time.
    async fn with_others(&self, recorded: Recorded) -> Fate {
        let planning = Arc::clone(&self.planning);
        let plan = move |recorded| Arc::clone(&planning).plan_together(recorded);
        let (home, lane) = (Handle::current(), recorded.tenant.organization());
        let planned = self.gatherer.with_others(&home, lane, recorded, plan);
        planned.await.unwrap_or(Fate::Alone)
    }
}

/// What plans are made with.
struct Planning {
    worker: Worker,
    places: Semaphore,
}

impl Planning {
    /// Plans failures together, as far as may be: of two of one recovery the second has to see
    /// what came of the first, and where something is wrong with one of them it has to be found
    /// out with which.
    async fn plan_together(self: Arc<Self>, recorded: Vec<Recorded>) -> Vec<Fate> {
        let mut seen = HashSet::new();
        let is_first: Vec<bool> = recorded.iter().map(|it| seen.insert(it.recovery)).collect();
        let firsts = recorded.into_iter().zip(&is_first);
        let together: Vec<Recorded> = firsts
            .filter_map(|(it, is_first)| is_first.then_some(it))
            .collect();
        metrics::histogram!("failures_commit_size").record(gather::size(together.len()));
        let fate = match self.plan(&together).await {
            Ok(()) => Fate::Planned,
            Err(error) => {
                tracing::debug!(%error, "failures are planned one by one");
                Fate::Alone
            }
        };
        let fates = is_first
            .iter()
            .map(|is_first| if *is_first { fate } else { Fate::Alone });
        fates.collect()
    }

    /// Plans failures, each of another recovery, in one transaction.
    async fn plan(&self, recorded: &[Recorded]) -> Result<(), DbError> {
        let worker = &self.worker;
        // Never closed.
        let _place = self.places.acquire().await;
        let mut tx = worker.backbone.db.begin(worker.backbone.cause()).await?;
        let planned = plan_in(&mut tx, worker, recorded).await;
        let planned = tx.end(planned).await?;
        if planned == Planned::Scheduled {
            worker.planned.notify_one();
        }
        Ok(())
    }
}

/// Settles them, and plans those of which no copy was here before, whose effect has committed.
/// The recoveries are locked in the order of their ids: two transactions that want the same
/// ones wait for each other, and do not meet.
async fn plan_in(tx: &mut Tx, worker: &Worker, recorded: &[Recorded]) -> Result<Planned, DbError> {
    let mut recorded: Vec<&Recorded> = recorded.iter().collect();
    recorded.sort_unstable_by_key(|it| it.recovery);
    let ids: Vec<OutboxId> = recorded.iter().map(|it| it.outbox).collect();
    let conn: &Conn = tx.conn();
    let locks = recorded
        .iter()
        .map(|it| db::recoveries::lock_on(conn, it.tenant, it.recovery));
    let (news, locked) = tokio::try_join!(db::outbox::settle_all(conn, &ids), try_join_all(locks))?;
    let open: Vec<(&Recorded, StoredRecovery)> = recorded
        .into_iter()
        .zip(locked)
        .filter(|(it, _)| news.contains(&it.outbox))
        .filter_map(|(it, locked)| Some((it, locked.filter(|locked| locked.state.is_open())?)))
        .collect();
    for (recorded, recovery) in &open {
        if recovery.hardness == Hardness::Hard {
            tx.go_on_under(&recorded.trace);
            forbid_charges(tx, recovery).await?;
        }
    }
    let now = tx.now();
    let conn: &Conn = tx.conn();
    let reading = open.iter().map(|(_, recovery)| read(conn, now, recovery));
    let read = try_join_all(reading).await?;
    let mut planned = Planned::Nothing;
    for ((recorded, recovery), read) in open.iter().zip(read) {
        let Some((followed, read)) = read else {
            continue;
        };
        tx.go_on_under(&recorded.trace);
        let planning = message::plan_and_ask(tx, worker, recovery, &followed, read);
        if planning.instrument(recorded.span.clone()).await? == Planned::Scheduled {
            planned = Planned::Scheduled;
        }
    }
    Ok(planned)
}

/// A newer report forbids what an older one had planned.
async fn forbid_charges(tx: &mut Tx, recovery: &StoredRecovery) -> Result<(), DbError> {
    let (tenant, id) = (recovery.tenant, recovery.id);
    let why = "a newer report says that this means will not do";
    db::attempts::cancel_scheduled(tx, tenant, id, Some(AttemptKind::Charge), why).await?;
    Ok(())
}

/// Reads what a recovery's next step is decided from; nothing if there is none to decide on.
async fn read(
    conn: &Conn,
    now: DateTime<Utc>,
    recovery: &StoredRecovery,
) -> Result<Option<(Followed, Read)>, DbError> {
    let so_far = plan::so_far(conn, recovery).await?;
    if so_far.past.iter().any(|attempt| !attempt.state.is_final()) {
        // The step that is planned or under way stands; its end plans the next.
        return Ok(None);
    }
    let Some(matter) = so_far.matter else {
        return Ok(None);
    };
    let read = plan::read(conn, now, recovery, matter, &so_far.past).await?;
    Ok(Some((so_far.followed, read)))
}

impl Handler for FailurePlanner {
    async fn handle(&self, delivery: &Delivery) -> Result<(), Failure> {
        let Message::FailureRecorded { recovery, .. } = delivery.envelope.message else {
            return Err(Failure::for_good(
                "this stream carries recorded failures only",
            ));
        };
        self.plan(delivery, recovery)
            .instrument(work::span(delivery))
            .await
            .map_err(work::failed)
    }

    async fn dead(&self, delivery: &Delivery, reason: &str) -> Result<(), String> {
        let backbone = &self.planning.worker.backbone;
        work::bury(&backbone.db, &backbone.clock, delivery, reason).await
    }
}
