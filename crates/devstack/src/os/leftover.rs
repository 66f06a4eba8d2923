//! Ending what an earlier, killed holder left behind: exactly that process and no other.

use std::path::Path;
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

/// How long a left-over process may take to stop by itself before it is killed.
const GRACE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(20);

/// What a pid file holds. The start time (clock ticks since boot, field 22 of `/proc/PID/stat`,
/// proc(5)) tells the process from a later one that was given the same number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pid: i32,
    started: u64,
    /// The number of the signal that stops it in order.
    stop: i32,
}

impl Record {
    /// Of a process that runs now; `None` if it has ended or is a zombie.
    pub(crate) fn of(pid: Pid, stop: Signal) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in parentheses may hold anything, so fields are counted after the last one.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        if matches!(fields.first(), Some(&("Z" | "X"))) {
            return None;
        }
        Some(Self {
            pid: pid.as_raw(),
            started: fields.get(19)?.parse().ok()?,
            stop: stop as i32,
        })
    }

    pub(crate) fn write(&self, path: &Path) -> std::io::Result<()> {
        std::fs::write(path, serde_json::to_vec(self)?)
    }

    fn signal(&self) -> Signal {
        Signal::try_from(self.stop).unwrap_or(Signal::SIGTERM)
    }

    fn is_running(&self) -> bool {
        Self::of(Pid::from_raw(self.pid), self.signal()).as_ref() == Some(self)
    }
}

/// Ends the process that the pid file at `path` names, if it is still that one, and removes the
/// file. True if there was one to end.
pub async fn end(path: &Path) -> bool {
    let record = std::fs::read(path)
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Record>(&bytes).ok());
    let ended = match record {
        Some(record) => end_process(&record).await,
        None => false,
    };
    // Absent is as good as removed; a file that stays is harmless, it names nothing that runs.
    let _ = std::fs::remove_file(path);
    ended
}

async fn end_process(record: &Record) -> bool {
    if !record.is_running() {
        return false;
    }
    let pid = Pid::from_raw(record.pid);
    let _ = kill(pid, record.signal());
    let gone = async {
        while record.is_running() {
            tokio::time::sleep(POLL).await;
        }
    };
    if tokio::time::timeout(GRACE, gone).await.is_err() {
        let _ = killpg(pid, Signal::SIGKILL);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_process_with_the_same_number_is_another_one() {
        let now = Record::of(Pid::this(), Signal::SIGTERM).unwrap();
        assert!(now.is_running());
        let earlier = Record {
            started: now.started - 1,
            ..now
        };
        assert!(!earlier.is_running());
    }

    #[tokio::test]
    async fn a_process_that_a_pid_file_does_not_quite_name_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.pid");
        let mut other = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let pid = Pid::from_raw(other.id().cast_signed());
        let mut record = Record::of(pid, Signal::SIGTERM).unwrap();
        record.started += 1;
        record.write(&path).unwrap();

        assert!(!end(&path).await);
        assert!(other.try_wait().unwrap().is_none());
        assert!(!path.exists());

        other.kill().unwrap();
        other.wait().unwrap();
    }
}
