//! The few lines of `sh` that stop a process whose holder died.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::unistd::Pid;

/// Waits for the end of its input, then signals, waits, kills, and removes what was temporary.
const SCRIPT: &str = r#"
signal=$1 pid=$2 tenths=$3 folder=$4
runs() {
  # What has ended stays listed as a zombie where nothing collects it, as in some containers.
  read -r stat 2>/dev/null <"/proc/$pid/stat" || return
  case $stat in *") Z "*) return 1 ;; esac
}
read -r _ || :
kill -s "$signal" "$pid" 2>/dev/null
while [ "$tenths" -gt 0 ] && runs; do
  sleep 0.1
  tenths=$((tenths - 1))
done
kill -s KILL -- "-$pid" 2>/dev/null
[ -z "$folder" ] || rm -rf -- "$folder"
"#;

/// Stops one process if this process dies. [`Watcher::release`] it once the process has ended.
#[derive(Debug)]
pub(crate) struct Watcher(Child);

impl Watcher {
    /// Watches over `pid` (the leader of its group): on this process's death it gets `signal`, and
    /// after `grace` its group is killed and `temporary` is removed.
    pub(crate) fn over(
        pid: Pid,
        signal: &str,
        grace: Duration,
        temporary: Option<&Path>,
    ) -> std::io::Result<Self> {
        let tenths = grace.as_millis().div_ceil(100);
        Command::new("/bin/sh")
            .args(["-c", SCRIPT, "tinko-watcher", signal])
            .args([pid.to_string(), tenths.to_string()])
            .arg(temporary.unwrap_or(Path::new("")))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map(Self)
    }

    /// Ends the watch without touching what was watched.
    pub(crate) fn release(mut self) {
        // Its input stays open until it is dead, so it cannot take the release for our death.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
