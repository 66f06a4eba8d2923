//! How a process ends: one request to finish, then a deadline.
//!
//! ```text
//! running --SIGTERM or SIGINT--> finishing --grace over, or a second signal--> hard stop
//! ```
//!
//! In `finishing`, [`Shutdown::token`] is cancelled: nothing new is taken, work under way goes on.
//! At the hard stop, [`Shutdown::hard`] is cancelled: whatever is still running hands its work back
//! and returns. A `main` that has finished early need not wait for it.

use std::{future::Future, io, time::Duration};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};
use tokio_util::sync::CancellationToken;

/// The process's wish to end, as everything that works can see it. Clones are the same wish.
#[derive(Clone, Debug)]
pub struct Shutdown {
    finish: CancellationToken,
    hard: CancellationToken,
    trigger: Trigger,
    grace: Duration,
}

/// Asks for the end from inside: for tests, and for a part without which the process is no use.
#[derive(Clone, Debug)]
pub struct Trigger {
    requests: UnboundedSender<&'static str>,
}

impl Trigger {
    /// Does what a signal does: the first request starts the grace period, the second ends it.
    /// `why` goes to the log.
    pub fn request(&self, why: &'static str) {
        // The receiver is gone only when the hard stop has passed: there is nothing left to ask.
        let _ended = self.requests.send(why);
    }
}

impl Shutdown {
    /// Listens for SIGTERM and SIGINT. `grace` is the time from the request to the hard stop.
    ///
    /// Call it inside the Tokio run-time. Fails when the handlers can't be installed.
    pub fn install(grace: Duration) -> io::Result<Self> {
        let mut term = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let (shutdown, trigger) = Self::manual(grace);
        let ended = shutdown.hard.clone();
        tokio::spawn(ended.run_until_cancelled_owned(async move {
            loop {
                trigger.request(either(&mut term, &mut interrupt).await);
            }
        }));
        Ok(shutdown)
    }

    /// A shutdown that no signal reaches, only the [`Trigger`]. Call it inside the Tokio run-time.
    pub fn manual(grace: Duration) -> (Self, Trigger) {
        let (requests, received) = unbounded_channel();
        let trigger = Trigger { requests };
        let shutdown = Self {
            finish: CancellationToken::new(),
            hard: CancellationToken::new(),
            trigger: trigger.clone(),
            grace,
        };
        let (finish, hard) = (shutdown.finish.clone(), shutdown.hard.clone());
        tokio::spawn(pass_through_phases(received, finish, hard, grace));
        (shutdown, trigger)
    }

    /// Cancelled when no new work may be taken.
    pub fn token(&self) -> CancellationToken {
        self.finish.clone()
    }

    /// Returns when no new work may be taken; at once if that is so already.
    pub async fn requested(&self) {
        self.finish.cancelled().await;
    }

    /// Whether the end has been asked for.
    pub fn is_requested(&self) -> bool {
        self.finish.is_cancelled()
    }

    /// Cancelled when the grace period is over or a second signal came: hand work back and return.
    pub fn hard(&self) -> CancellationToken {
        self.hard.clone()
    }

    /// How long work under way may take from the request on.
    pub fn grace(&self) -> Duration {
        self.grace
    }

    /// For a part that must be able to end the whole process.
    pub fn trigger(&self) -> Trigger {
        self.trigger.clone()
    }

    /// Runs `work` until it is done or the hard stop comes; `None` means that it was cut off.
    pub async fn finish_within_grace<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.hard.run_until_cancelled(work).await
    }
}

async fn either(term: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = term.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}

async fn pass_through_phases(
    mut requests: UnboundedReceiver<&'static str>,
    finish: CancellationToken,
    hard: CancellationToken,
    grace: Duration,
) {
    let Some(why) = requests.recv().await else {
        return; // every handle is gone: nobody can ask, and nobody would see it
    };
    tracing::info!(why, grace_seconds = grace.as_secs(), "finishing");
    finish.cancel();
    tokio::select! {
        () = tokio::time::sleep(grace) => {
            tracing::warn!(grace_seconds = grace.as_secs(), "the grace period is over, stopping now");
        }
        Some(why) = requests.recv() => tracing::warn!(why, "asked a second time, stopping now"),
    }
    hard.cancel();
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_hours(1);

    #[tokio::test]
    async fn the_first_request_stops_new_work_and_leaves_running_work_alone() {
        let (shutdown, trigger) = Shutdown::manual(LONG);
        assert!(!shutdown.is_requested());
        trigger.request("test");
        shutdown.requested().await;
        assert!(shutdown.token().is_cancelled());
        assert!(!shutdown.hard().is_cancelled());
        assert_eq!(shutdown.finish_within_grace(async { 7 }).await, Some(7));
    }

    #[tokio::test]
    async fn a_second_request_cuts_running_work_off() {
        let (shutdown, trigger) = Shutdown::manual(LONG);
        trigger.request("test");
        trigger.request("test");
        let endless = std::future::pending::<()>();
        assert_eq!(shutdown.finish_within_grace(endless).await, None);
    }

    #[tokio::test]
    async fn the_grace_period_ends_by_itself() {
        let grace = Duration::from_millis(50);
        let (shutdown, trigger) = Shutdown::manual(grace);
        let asked = std::time::Instant::now();
        trigger.request("test");
        shutdown.hard().cancelled().await;
        assert!(shutdown.is_requested());
        assert!(asked.elapsed() >= grace, "{:?}", asked.elapsed());
    }

    #[tokio::test]
    async fn a_part_that_fails_can_end_the_process() {
        let (shutdown, _) = Shutdown::manual(LONG);
        shutdown.trigger().request("the consumer died");
        shutdown.requested().await;
    }
}
