//! How a process ended, for those who wait with and without a run-time.

use std::process::{Child, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use tokio::sync::watch;

/// Shared knowledge about one process: is it there, and how did it end.
#[derive(Debug)]
pub(crate) struct Exit {
    pid: Pid,
    status: Mutex<Option<ExitStatus>>,
    changed: Condvar,
    told: watch::Sender<Option<ExitStatus>>,
}

impl Exit {
    /// Starts a thread that waits for `child` and reaps it.
    pub(crate) fn watch(mut child: Child) -> std::io::Result<Arc<Self>> {
        let exit = Arc::new(Self {
            pid: pid_of(&child),
            status: Mutex::new(None),
            changed: Condvar::new(),
            told: watch::channel(None).0,
        });
        let seen = Arc::clone(&exit);
        std::thread::Builder::new()
            .name("child-exit".to_owned())
            .spawn(move || seen.reap(&mut child))?;
        Ok(exit)
    }

    /// Waits without reaping first, and reaps under the lock that [`Exit::signal`] takes: a signal
    /// can so never reach a later process that was given the same number.
    fn reap(&self, child: &mut Child) {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
        while waitid(Id::Pid(self.pid), flags) == Err(nix::errno::Errno::EINTR) {}
        let mut status = self.lock();
        *status = child.wait().ok().or(Some(ExitStatus::default()));
        self.changed.notify_all();
        self.told.send_replace(*status);
    }

    /// Sends a signal unless the process has ended; to its whole group if asked.
    pub(crate) fn signal(&self, signal: Signal, group: bool) {
        if self.lock().is_some() {
            return;
        }
        // A process that is just ending can refuse the signal, which is what was wanted.
        let _ = if group {
            killpg(self.pid, signal)
        } else {
            kill(self.pid, signal)
        };
    }

    pub(crate) fn status(&self) -> Option<ExitStatus> {
        *self.lock()
    }

    /// Blocks until the end or the time-out; for `Drop`, which cannot await.
    pub(crate) fn wait_blocking(&self, timeout: Duration) -> Option<ExitStatus> {
        let waited = self
            .changed
            .wait_timeout_while(self.lock(), timeout, |status| status.is_none());
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    pub(crate) async fn wait(&self) -> ExitStatus {
        let mut told = self.told.subscribe();
        loop {
            let status = *told.borrow_and_update();
            if let Some(status) = status {
                return status;
            }
            // The sender is in `self`, so this cannot fail while we are here.
            let _ = told.changed().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<ExitStatus>> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn pid_of(child: &Child) -> Pid {
    Pid::from_raw(child.id().cast_signed())
}
