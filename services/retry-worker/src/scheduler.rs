//! Claims what is due and gives each attempt a task.
//!
//! No more is claimed than there are free places, so that a lease never runs
//! out in a queue of ours. Organizations take turns: a claim starts after the
//! organization that the last one ended with.

use std::sync::Arc;
use std::time::Duration;

use db::DbError;
use db::attempts::{Claim, StoredAttempt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::Worker;
use crate::attempts;

/// The shortest pause after an empty claim or trouble.
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);
/// The pause after trouble with Postgres.
const AFTER_TROUBLE: Duration = Duration::from_millis(500);

/// Claims due attempts until it is told to stop.
pub struct Scheduler {
    worker: Worker,
    places: Arc<Semaphore>,
    tasks: TaskTracker,
    poll: Duration,
    /// Where the next claim starts.
    after: Uuid,
    /// Organizations that the last round met, to share places among.
    organizations: usize,
}

impl Scheduler {
    /// Acts as `worker` on at most `concurrency` attempts at a time, looking at
    /// least every `poll`.
    pub fn new(worker: Worker, concurrency: usize, poll: Duration) -> Self {
        Self {
            worker,
            places: Arc::new(Semaphore::new(concurrency.max(1))),
            tasks: TaskTracker::new(),
            poll,
            after: Uuid::nil(),
            organizations: 1,
        }
    }

    /// Claims and acts until `stop`; then lets what is claimed end.
    pub async fn run(mut self, stop: CancellationToken) {
        while let Some(Ok(place)) = stop
            .run_until_cancelled(Arc::clone(&self.places).acquire_owned())
            .await
        {
            let pause = match self.round(place).await {
                Ok(0) => self.until_next_due().await,
                Ok(_) => continue,
                Err(error) => {
                    tracing::warn!(%error, "due attempts could not be claimed");
                    AFTER_TROUBLE
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.worker.planned.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Claims as many as there are places and starts them; answers how many.
    async fn round(&mut self, first: OwnedSemaphorePermit) -> Result<usize, DbError> {
        let mut places = vec![first];
        while let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            places.push(place);
        }
        let mut claimed = self.claim_unsettled(places.len()).await?;
        if claimed.len() < places.len() {
            let free = places.len() - claimed.len();
            claimed.extend(self.claim_due(free).await?);
        }
        let count = claimed.len();
        for (attempt, place) in claimed.into_iter().zip(places) {
            let worker = self.worker.clone();
            self.tasks.spawn(async move {
                attempts::act(&worker, attempt).await;
                drop(place);
            });
        }
        Ok(count)
    }

    async fn claim_unsettled(&self, free: usize) -> Result<Vec<StoredAttempt>, DbError> {
        let now = self.worker.backbone.clock.now();
        let mut conn = self.worker.backbone.db.read().await?;
        let limit = i64::try_from(free).unwrap_or(i64::MAX);
        db::attempts::claim_unsettled(
            &mut conn,
            self.worker.id,
            now,
            now + self.worker.lease,
            limit,
        )
        .await
    }

    /// Claims from the organization after the last one on, and from the first
    /// one if that found nothing.
    async fn claim_due(&mut self, free: usize) -> Result<Vec<StoredAttempt>, DbError> {
        let now = self.worker.backbone.clock.now();
        let share = free.div_ceil(self.organizations.max(1)).max(1);
        let mut claim = Claim {
            worker: self.worker.id,
            now,
            lease_until: now + self.worker.lease,
            after: self.after,
            per_organization: i64::try_from(share).unwrap_or(i64::MAX),
            limit: i64::try_from(free).unwrap_or(i64::MAX),
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
