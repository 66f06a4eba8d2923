//! Claims what is due and gives each delivery a task.

use std::sync::Arc;
use std::time::Duration;

use backbone::Backbone;
use db::DbError;
use db::partners::{self, Claim, Claimed};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Sender;

/// The shortest pause after an empty claim.
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);
/// The pause after trouble with Postgres.
const AFTER_TROUBLE: Duration = Duration::from_millis(500);
/// Most that dead processes left which is put back at once.
const TAKEN_BACK: i64 = 500;

/// How many requests may be under way.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Of this process.
    pub in_all: usize,
    /// Of one organization, over all processes.
    pub per_organization: usize,
    /// To one endpoint, over all processes.
    pub per_endpoint: usize,
}

/// Claims due deliveries until it is told to stop.
pub struct Dispatcher {
    sender: Sender,
    limits: Limits,
    poll: Duration,
    places: Arc<Semaphore>,
    tasks: TaskTracker,
    /// Notified when deliveries are queued or a place is free.
    news: Arc<Notify>,
}

impl Dispatcher {
    /// Sends by `sender` within `limits`, looking at least every `poll`, and whenever
    /// `news` is notified.
    pub fn new(sender: Sender, limits: Limits, poll: Duration, news: Arc<Notify>) -> Self {
        Self {
            sender,
            places: Arc::new(Semaphore::new(limits.in_all.max(1))),
            limits,
            poll,
            tasks: TaskTracker::new(),
            news,
        }
    }

    /// Claims and sends until `stop`; then lets what is claimed end.
    pub async fn run(self, stop: CancellationToken) {
        let mut looked_after: Option<Instant> = None;
        while let Some(Ok(place)) = stop
            .run_until_cancelled(Arc::clone(&self.places).acquire_owned())
            .await
        {
            if looked_after.is_none_or(|at| at.elapsed() >= self.poll) {
                looked_after = Some(Instant::now());
                self.take_back_or_warn().await;
            }
            let pause = match self.round(place).await {
                Ok(0) => self.until_next_due().await,
                Ok(_) => continue,
                Err(error) => {
                    tracing::warn!(%error, "due webhooks could not be claimed");
                    AFTER_TROUBLE
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.news.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Puts back what dead processes left, sends what is due now, and waits until
    /// all of it is recorded; answers how many. Tests own the time by it.
    pub async fn step(&self) -> Result<usize, DbError> {
        self.take_back().await?;
        let claimed = self.claim(self.limits.in_all).await?;
        let count = claimed.len();
        futures_util::future::join_all(claimed.into_iter().map(|it| self.sender.deliver(it))).await;
        Ok(count)
    }

    /// Claims as many as there are places and starts them; answers how many.
    async fn round(&self, first: OwnedSemaphorePermit) -> Result<usize, DbError> {
        let mut places = vec![first];
        while let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            places.push(place);
        }
        let claimed = self.claim(places.len()).await?;
        let count = claimed.len();
        for (delivery, place) in claimed.into_iter().zip(places) {
            let (sender, news) = (self.sender.clone(), Arc::clone(&self.news));
            self.tasks.spawn(async move {
                sender.deliver(delivery).await;
                drop(place);
                news.notify_one();
            });
        }
        Ok(count)
    }

    async fn claim(&self, free: usize) -> Result<Vec<Claimed>, DbError> {
        let backbone = &self.sender.backbone;
        let now = backbone.clock.now();
        let many = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let claim = Claim {
            worker: self.sender.worker,
            now,
            lease_until: now + self.sender.lease,
            limit: many(free),
            per_endpoint: many(self.limits.per_endpoint),
            per_organization: many(self.limits.per_organization),
        };
        let mut conn = backbone.db.read().await?;
        partners::claim(&mut conn, &claim).await
    }

    async fn take_back(&self) -> Result<usize, DbError> {
        let backbone = &self.sender.backbone;
        let mut tx = backbone.db.begin(backbone.cause()).await?;
        let taken = partners::take_back(&mut tx, TAKEN_BACK).await?;
        tx.commit().await?;
        if taken > 0 {
            tracing::warn!(taken, "webhooks were left by a process that ended");
        }
        Ok(taken)
    }

    async fn take_back_or_warn(&self) {
        if let Err(error) = self.take_back().await {
            tracing::warn!(%error, "what dead processes left was not looked after");
        }
    }

    /// What is due and was not claimed waits for its endpoint: for a place, which is
    /// news, or for the end of a pause.
    async fn until_next_due(&self) -> Duration {
        let backbone = &self.sender.backbone;
        let next = async {
            let mut conn = backbone.db.read().await?;
            partners::next_due(&mut conn).await
        };
        let now = backbone.clock.now();
        match next.await {
            Ok(Some(due_at)) if due_at > now => (due_at - now)
                .to_std()
                .unwrap_or_default()
                .clamp(SHORTEST_PAUSE, self.poll.max(SHORTEST_PAUSE)),
            Ok(_) => self.poll,
            Err(_) => AFTER_TROUBLE,
        }
    }
}

/// Measures what waits.
pub(crate) async fn measure(backbone: &Backbone) -> Result<(), DbError> {
    let mut conn = backbone.db.read().await?;
    let waiting = partners::waiting(&mut conn, backbone.clock.now()).await?;
    metrics::gauge!("partner_deliveries_due").set(float(waiting.due));
    metrics::gauge!("partner_deliveries_oldest_due_seconds")
        .set(float(waiting.oldest.num_seconds()));
    metrics::gauge!("partner_breakers_open").set(float(waiting.tripped));
    Ok(())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge is a float; counts stay far below 2^52"
)]
const fn float(count: i64) -> f64 {
    count as f64
}
