//! A process that is stopped with its holder.

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::exit::{Exit, pid_of};
use super::leftover::Record;
use super::output::{Output, tail};
use super::watcher::Watcher;

/// How many lines of a log an error shows.
const SHOWN_LINES: usize = 20;
/// Dropping waits no longer than this for a process to stop before it kills it.
const DROP_GRACE: Duration = Duration::from_secs(3);
/// The kernel removes a killed process well within this.
const KILL_GRACE: Duration = Duration::from_secs(5);

/// How a process is asked to stop, and for how long it is then left to.
#[derive(Debug, Clone, Copy)]
pub struct Stop {
    /// For an orderly end.
    pub signal: Signal,
    /// For a hasty end, when the value is dropped or its holder has died.
    pub hasty: Signal,
    /// After this the whole process group is killed.
    pub grace: Duration,
}

impl Default for Stop {
    /// SIGTERM and ten seconds.
    fn default() -> Self {
        Self {
            signal: Signal::SIGTERM,
            hasty: Signal::SIGTERM,
            grace: Duration::from_secs(10),
        }
    }
}

/// What to start.
#[derive(Debug)]
pub struct Spawn {
    /// For messages.
    pub name: String,
    /// Program, arguments, environment, account. Its standard streams and process group are set
    /// by [`Child::spawn`].
    pub command: Command,
    /// Where its output goes.
    pub output: Output,
    /// How it is stopped.
    pub stop: Stop,
    /// Names it while it runs, for [`super::leftover::end`].
    pub pid_file: Option<PathBuf>,
    /// Is removed by the watcher if this process dies.
    pub temporary: Option<PathBuf>,
}

/// Why a process is not running.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// The program is missing, or its account, folder or log cannot be used.
    #[error("{name} cannot be started")]
    Start {
        /// What was to be started.
        name: String,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// It ended instead of becoming ready.
    #[error("{name} ended at its start ({status}); the end of its log:\n{log}")]
    Ended {
        /// What ended.
        name: String,
        /// How.
        status: ExitStatus,
        /// The last lines it wrote.
        log: String,
    },
    /// It runs and does not become ready.
    #[error("{name} is not ready after {seconds} s; the end of its log:\n{log}")]
    NotReady {
        /// What is not ready.
        name: String,
        /// How long it was given.
        seconds: u64,
        /// The last lines it wrote.
        log: String,
    },
}

/// A running process. Dropping it stops it; so does the death of this process.
#[derive(Debug)]
pub struct Child {
    name: String,
    pid: Pid,
    exit: Arc<Exit>,
    stop: Stop,
    log: PathBuf,
    pid_file: Option<PathBuf>,
    watcher: Option<Watcher>,
}

impl Child {
    /// Starts it in a process group of its own, so that Ctrl-C in a terminal reaches only the
    /// holder, which then stops what it holds in the right order.
    pub fn spawn(spawn: Spawn) -> Result<Self, SpawnError> {
        let name = spawn.name.clone();
        Self::try_spawn(spawn).map_err(|source| SpawnError::Start { name, source })
    }

    fn try_spawn(mut spawn: Spawn) -> std::io::Result<Self> {
        let (stdout, stderr) = spawn.output.open()?;
        let started = spawn
            .command
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .process_group(0)
            .spawn()?;
        // The command holds the write end of a followed process's pipe, which must close with it.
        drop(spawn.command);
        let pid = pid_of(&started);
        let exit = Exit::watch(started)?;
        let mut child = Self {
            name: spawn.name,
            pid,
            exit,
            stop: spawn.stop,
            log: spawn.output.log,
            pid_file: spawn.pid_file,
            watcher: None,
        };
        child.watcher = Some(Watcher::over(
            pid,
            signal_name(child.stop.hasty),
            child.stop.grace,
            spawn.temporary.as_deref(),
        )?);
        if let (Some(path), Some(record)) = (&child.pid_file, Record::of(pid, child.stop.signal)) {
            record.write(path)?;
        }
        Ok(child)
    }

    /// The process's number.
    pub fn pid(&self) -> u32 {
        self.pid.as_raw().cast_unsigned()
    }

    /// How it ended, or `None` while it runs.
    pub fn status(&self) -> Option<ExitStatus> {
        self.exit.status()
    }

    /// Waits for its end.
    pub async fn exited(&self) -> ExitStatus {
        self.exit.wait().await
    }

    /// Waits until `ready` resolves. Fails if the process ends before, or after `timeout`; the
    /// error shows the end of its log.
    pub async fn until<T>(
        &self,
        ready: impl Future<Output = T>,
        timeout: Duration,
    ) -> Result<T, SpawnError> {
        let name = self.name.clone();
        tokio::select! {
            value = ready => Ok(value),
            status = self.exited() => {
                Err(SpawnError::Ended { name, status, log: self.log_tail() })
            }
            () = tokio::time::sleep(timeout) => {
                Err(SpawnError::NotReady { name, seconds: timeout.as_secs(), log: self.log_tail() })
            }
        }
    }

    /// The last lines of its log.
    pub fn log_tail(&self) -> String {
        tail(&self.log, SHOWN_LINES)
    }

    /// Sends the process, not its group, a signal; nothing happens if it has ended.
    pub fn signal(&self, signal: Signal) {
        self.exit.signal(signal, false);
    }

    /// Kills it as `kill -9` does, with its group, and waits until it is gone.
    pub async fn kill9(&mut self) -> ExitStatus {
        self.exit.signal(Signal::SIGKILL, true);
        let status = self.exit.wait().await;
        self.ended();
        status
    }

    /// Asks it to stop, waits its grace, then kills it.
    pub async fn stop(&mut self) -> ExitStatus {
        self.signal(self.stop.signal);
        match tokio::time::timeout(self.stop.grace, self.exit.wait()).await {
            Ok(status) => {
                self.ended();
                status
            }
            Err(_) => self.kill9().await,
        }
    }

    fn ended(&mut self) {
        if let Some(watcher) = self.watcher.take() {
            watcher.release();
        }
        if let Some(path) = self.pid_file.take() {
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Nothing of this does anything once the process has ended.
        self.signal(self.stop.hasty);
        if self.exit.wait_blocking(DROP_GRACE).is_none() {
            self.exit.signal(Signal::SIGKILL, true);
            self.exit.wait_blocking(KILL_GRACE);
        }
        self.ended();
    }
}

/// As `kill -s` wants it: without `SIG`.
fn signal_name(signal: Signal) -> &'static str {
    signal.as_str().trim_start_matches("SIG")
}
