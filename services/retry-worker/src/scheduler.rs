//! Claims what is due and gives each attempt a task.
//!
//! No more is claimed than there are free places, so that a lease never runs
//! out in a queue of ours, and of no organization more than its share of them
//! ([`crate::places`]). Organizations take turns: a claim starts after the
//! organization that the last one ended with.

use std::time::Duration;

use db::DbError;
use db::attempts::{Claim, StoredAttempt, UnderWay};
use domain::Provider;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::Worker;
use crate::attempts;
use crate::places::{Place, Unclaimed};

/// The shortest pause after an empty claim or trouble.
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);
/// The longest that what is due waits for more places while an organization has all, or
/// nearly all, that it may.
const GATHER: Duration = Duration::from_millis(5);
/// How often it is looked for what dead workers left and what is in doubt, at most: leases
/// run for a minute, and doubts wait for seconds.
const UNSETTLED_EVERY: Duration = Duration::from_millis(250);
/// The pause after trouble with Postgres.
const AFTER_TROUBLE: Duration = Duration::from_millis(500);

/// Claims due attempts until it is told to stop.
pub struct Scheduler {
    worker: Worker,
    tasks: TaskTracker,
    poll: Duration,
    /// Where the next claim starts.
    after: Uuid,
    /// Organizations that the last round met, to share places among.
    organizations: usize,
    /// When it is looked again for what dead workers left and what is in doubt.
    unsettled_at: Instant,
}

impl Scheduler {
    /// Acts as `worker`, looking at least every `poll`.
    pub fn new(worker: Worker, poll: Duration) -> Self {
        Self {
            worker,
            tasks: TaskTracker::new(),
            poll,
            after: Uuid::nil(),
            organizations: 1,
            unsettled_at: Instant::now(),
        }
    }

    /// Claims and acts until `stop`; then lets what is claimed end.
    pub async fn run(mut self, stop: CancellationToken) {
        let places = self.worker.places.clone();
        while let Some(free) = stop.run_until_cancelled(places.all_free()).await {
            let pause = match self.round(free).await {
                // What is due may be of whoever has all it may: a place tells.
                Ok(0) if places.any_full() => self.poll,
                Ok(0) => self.until_next_due().await,
                Ok(_) => {
                    // A claim for each place that is given back costs as much as one for eight.
                    let _in_time = tokio::time::timeout(GATHER, places.roomy()).await;
                    continue;
                }
                Err(error) => {
                    tracing::warn!(%error, "due attempts could not be claimed");
                    AFTER_TROUBLE
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.worker.planned.notified() => {}
                () = places.freed() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Claims as many as there are places and starts them; answers how many.
    async fn round(&mut self, mut free: Vec<Unclaimed>) -> Result<usize, DbError> {
        let mut count = 0;
        if self.unsettled_at <= Instant::now() {
            let unsettled = self.claim_unsettled(free.len()).await?;
            self.unsettled_at = Instant::now() + UNSETTLED_EVERY;
            count += self.begin(unsettled, &mut free);
        }
        if !free.is_empty() {
            let due = self.claim_due(free.len()).await?;
            count += self.begin(due, &mut free);
        }
        Ok(count)
    }

    /// Gives each claimed attempt a place and a task; answers how many there were.
    fn begin(&self, claimed: Vec<StoredAttempt>, free: &mut Vec<Unclaimed>) -> usize {
        let count = claimed.len();
        let from = free.len().saturating_sub(count);
        for (attempt, place) in claimed.into_iter().zip(free.drain(from..)) {
            let organization = attempt.tenant.organization();
            let place = Place::of(&self.worker.places, place, organization);
            let worker = self.worker.clone();
            let acting = async move { attempts::act_in(&worker, attempt, place).await };
            self.tasks.spawn(acting);
        }
        count
    }

    async fn claim_unsettled(&self, free: usize) -> Result<Vec<StoredAttempt>, DbError> {
        let now = self.worker.backbone.clock.now();
        let mut conn = self.worker.backbone.db.read().await?;
        let held = Held::by(&self.worker);
        let (id, lease_until) = (self.worker.id, now + self.worker.lease);
        let under_way = held.under_way();
        db::attempts::claim_unsettled(&mut conn, id, now, lease_until, many(free), under_way).await
    }

    /// Claims from the organization after the last one on, and from the first
    /// one if that found nothing.
    async fn claim_due(&mut self, free: usize) -> Result<Vec<StoredAttempt>, DbError> {
        let now = self.worker.backbone.clock.now();
        let share = free.div_ceil(self.organizations.max(1)).max(1);
        let held = Held::by(&self.worker);
        let mut claim = Claim {
            worker: self.worker.id,
            now,
            lease_until: now + self.worker.lease,
            after: self.after,
            per_organization: many(share),
            limit: many(free),
            under_way: held.under_way(),
        };
        let mut conn = self.worker.backbone.db.read().await?;
        let mut claimed = db::attempts::claim_due(&mut conn, &claim).await?;
        if claimed.is_empty() && !self.after.is_nil() {
            claim.after = Uuid::nil();
            claimed = db::attempts::claim_due(&mut conn, &claim).await?;
        }
        let mut met: Vec<Uuid> = claimed
            .iter()
            .map(|attempt| attempt.tenant.organization().uuid())
            .collect();
        met.sort_unstable();
        met.dedup();
        self.organizations = met.len().max(1);
        let all_taken = claimed.len() < free;
        self.after = if all_taken {
            Uuid::nil()
        } else {
            met.last().copied().unwrap_or_default()
        };
        Ok(claimed)
    }

    async fn until_next_due(&self) -> Duration {
        let next = async {
            let mut conn = self.worker.backbone.db.read().await?;
            db::attempts::next_due(&mut conn).await
        };
        match next.await {
            Ok(Some(due_at)) => (due_at - self.worker.backbone.clock.now())
                .to_std()
                .unwrap_or_default()
                .clamp(SHORTEST_PAUSE, self.poll),
            Ok(None) => self.poll,
            Err(_) => AFTER_TROUBLE,
        }
    }
}

/// What is under way here, as a claim is told it.
struct Held {
    organizations: Vec<Uuid>,
    counts: Vec<i64>,
    most: i64,
    crowded: Vec<&'static str>,
}

impl Held {
    fn by(worker: &Worker) -> Self {
        let held = worker.places.held().into_iter();
        let held = held.map(|(organization, count)| (organization.uuid(), many(count)));
        let (organizations, counts) = held.unzip();
        let crowded = worker.places.crowded().into_iter();
        Self {
            organizations,
            counts,
            most: many(worker.places.per_organization()),
            crowded: crowded.map(Provider::as_str).collect(),
        }
    }

    fn under_way(&self) -> UnderWay<'_> {
        UnderWay {
            organizations: &self.organizations,
            counts: &self.counts,
            most: Some(self.most),
            crowded: &self.crowded,
        }
    }
}

fn many(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
