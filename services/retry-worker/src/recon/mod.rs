//! Comparing recoveries with what the PSPs say, daily and on request.
//!
//! ```text
//! daily ─────┐
//! the api ───┴─> recon_runs ──claim──> turn: a page of recoveries, one by one
//!                     ^                  look    the PSP is asked, at a pace; nothing is held
//!                     │                  settle  under the recovery's lock: compare, act as a
//!                     └──── hand back ──         webhook would, keep what differs, pass on
//! ```
//!
//! - At most one comparison runs for an organization; a row's lease keeps
//!   replicas apart, and its place is taken over from one that died.
//! - Nothing is asked while a row is locked. A recovery that moved between the
//!   look and the lock is looked at again.
//! - Organizations take turns, a page each, so that one with much to compare does
//!   not keep the others waiting.
//!
//! The comparison itself is pure: `domain::reconciliation`.

mod daily;
mod look;
mod pace;
mod settle;
mod turn;

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use db::DbError;
use db::recon::StoredRun;
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use daily::schedule;
pub use pace::Pace;
pub use turn::take;

use crate::Worker;
use crate::settings::Settings;

/// Between two looks at whose time of the day has come.
const DAILY_LOOK: Duration = Duration::from_mins(1);
/// The pause after trouble with Postgres.
const AFTER_TROUBLE: Duration = Duration::from_millis(500);
/// Most days that a comparison goes back.
const MOST_DAYS: u16 = 365;

/// Says what is wrong with the settings, if something is.
pub fn check(settings: &Settings) -> anyhow::Result<()> {
    let days = settings.recon_days;
    ensure!(
        days <= MOST_DAYS,
        "TINKO__RECON_DAYS must be from 0 to {MOST_DAYS}, and is {days}"
    );
    Ok(())
}

/// Works on comparisons until it is told to stop.
pub struct Runner {
    worker: Worker,
    pace: Arc<Pace>,
    places: Arc<Semaphore>,
    tasks: TaskTracker,
    turn_over: Arc<Notify>,
    poll: Duration,
    days: u16,
    looked: Option<Instant>,
}

impl Runner {
    /// Works as `worker`, by the settings.
    pub fn new(worker: Worker, settings: &Settings) -> Self {
        Self {
            worker,
            pace: Arc::new(Pace::new(settings.recon_lookups_per_second)),
            places: Arc::new(Semaphore::new(settings.recon_concurrency.max(1))),
            tasks: TaskTracker::new(),
            turn_over: Arc::default(),
            poll: settings.poll(),
            days: settings.recon_days,
            looked: None,
        }
    }

    /// Schedules, claims and compares until `stop`; then hands back what it holds.
    pub async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let pause = match self.round(&stop).await {
                Ok(0) => self.poll,
                Ok(_) => continue,
                Err(error) => {
                    tracing::warn!(%error, "comparisons with the PSPs were not looked after");
                    AFTER_TROUBLE
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.turn_over.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Claims as many as there are places, and gives each its turn; answers how many.
    async fn round(&mut self, stop: &CancellationToken) -> Result<usize, DbError> {
        self.look_at_the_day().await?;
        let free = i64::try_from(self.places.available_permits()).unwrap_or(i64::MAX);
        if free == 0 {
            return Ok(0);
        }
        let now = self.worker.backbone.clock.now();
        let lease_until = now + self.worker.lease;
        let mut conn = self.worker.backbone.db.read().await?;
        let claimed = db::recon::claim(&mut conn, self.worker.id, now, lease_until, free).await?;
        drop(conn);
        let count = claimed.len();
        for run in claimed {
            self.start(run, stop.clone());
        }
        Ok(count)
    }

    fn start(&self, run: StoredRun, stop: CancellationToken) {
        // As many were claimed as there are permits, which only this loop takes.
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return;
        };
        let worker = self.worker.clone();
        let rhythm = Arc::clone(&self.pace);
        let turn_over = Arc::clone(&self.turn_over);
        self.tasks.spawn(async move {
            turn::take(&worker, &rhythm, run, &stop).await;
            drop(place);
            turn_over.notify_one();
        });
    }

    async fn look_at_the_day(&mut self) -> Result<(), DbError> {
        let now = Instant::now();
        let fresh = self.looked.is_some_and(|at| now - at < DAILY_LOOK);
        if self.days > 0 && !fresh {
            daily::schedule(&self.worker, self.days).await?;
            self.looked = Some(now);
        }
        Ok(())
    }
}
