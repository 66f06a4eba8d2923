//! `tinko-dev up`, with the real services: Ctrl-C ends it all, a second start finds everything
//! again, and one that was killed leaves nothing behind.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::io::{BufRead as _, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

struct Up {
    process: Child,
    // Kept open: who writes to a closed pipe ends.
    lines: Lines<BufReader<ChildStdout>>,
    /// What it said until it was ready.
    said: Vec<String>,
}

impl Up {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_tinko-dev"))
            .args(["up", "--quiet", "--dir"])
            .arg(folder)
            .args(arguments)
            .env_remove("DATABASE_URL")
            .env_remove("REDIS_URL")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut up = Self {
            process,
            lines,
            said: Vec::new(),
        };
        while let Some(line) = up.lines.next() {
            up.said.push(line.unwrap());
            // The last thing it says before it waits.
            if up
                .said
                .iter()
                .any(|line| line.trim_start().starts_with("logs "))
            {
                return up;
            }
        }
        panic!("it ended before it was ready: {:#?}", up.said);
    }

    /// The value that it gave for `what`.
    fn told(&self, what: &str) -> &str {
        let line = self
            .said
            .iter()
            .find_map(|line| line.trim_start().strip_prefix(what));
        line.unwrap_or_else(|| panic!("{what} is not in {:#?}", self.said))
            .trim()
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.process.id().cast_signed()), signal).unwrap();
    }

    /// As Ctrl-C does.
    fn interrupt(mut self) {
        self.signal(Signal::SIGINT);
        let last_words: Vec<_> = self.lines.by_ref().map(Result::unwrap).collect();
        assert!(self.process.wait().unwrap().success(), "{last_words:#?}");
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        // Only where a test has failed does it still run.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn is_open(url: &str) -> bool {
    let address = url.split_once("://").unwrap().1.rsplit('@').next().unwrap();
    let address = address.split('/').next().unwrap();
    std::net::TcpStream::connect(address).is_ok()
}

#[test]
#[ignore = "slow: ./scripts/test --all"]
fn ctrl_c_ends_it_all_and_a_second_start_finds_everything_again() {
    let folder = tempfile::tempdir().unwrap();
    let first = Up::start(folder.path(), &[]);
    let told = ["API", "API key", "Postgres", "Redis", "inbox"];
    let before = told.map(|what| first.told(what).to_owned());
    assert!(is_open(first.told("Postgres")));
    first.interrupt();
    for url in [&before[0], &before[2], &before[3], &before[4]] {
        assert!(!is_open(url), "{url} still answers");
    }

    let second = Up::start(folder.path(), &[]);
    assert_eq!(told.map(|what| second.told(what).to_owned()), before);
    second.interrupt();

    let reset = Up::start(folder.path(), &["--reset"]);
    assert_ne!(reset.told("API key"), before[1]);
    reset.interrupt();
}

#[test]
#[ignore = "slow: ./scripts/test --all"]
fn one_that_was_killed_leaves_nothing_in_the_way_of_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let mut killed = Up::start(folder.path(), &[]);
    let before = killed.told("API key").to_owned();
    killed.signal(Signal::SIGKILL);
    killed.process.wait().unwrap();

    let next = Up::start(folder.path(), &[]);
    assert_eq!(next.told("API key"), before);
    next.interrupt();
}

#[test]
#[ignore = "slow: ./scripts/test --all"]
fn a_killed_service_is_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let up = Up::start(folder.path(), &[]);
    let pid_file = folder.path().join("stack/run/notifier.pid");
    let read = || -> Option<i64> {
        let record: serde_json::Value =
            serde_json::from_slice(&std::fs::read(&pid_file).ok()?).ok()?;
        record["pid"].as_i64()
    };
    let first = read().unwrap();
    kill(
        Pid::from_raw(i32::try_from(first).unwrap()),
        Signal::SIGKILL,
    )
    .unwrap();
    let begun = std::time::Instant::now();
    while read().is_none_or(|pid| pid == first) {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "it was not started again"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    up.interrupt();
}

#[test]
#[ignore = "slow: ./scripts/test --all"]
fn two_cannot_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let first = Up::start(folder.path(), &[]);
    let second = Command::new(env!("CARGO_BIN_EXE_tinko-dev"))
        .args(["up", "--dir"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(!second.status.success());
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(said.contains("is in use by a running tinko-dev"), "{said}");
    first.interrupt();
}
