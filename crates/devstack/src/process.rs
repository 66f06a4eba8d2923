//! One of our programs, running: its ready file, its log, and its end by order or by force.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncWriteExt as _;

use crate::os::{Child, Output, Spawn, SpawnError, Stop, leftover, tail};

/// How many lines of a log an error shows.
const SHOWN_LINES: usize = 20;
const POLL: Duration = Duration::from_millis(15);
/// What a program may see of its starter's environment. Everything else is given on purpose.
const INHERITED: [&str; 7] = [
    "PATH",
    "HOME",
    "LANG",
    "TZ",
    "TMPDIR",
    "RUST_BACKTRACE",
    "LLVM_PROFILE_FILE",
];

/// How to run a program.
#[derive(Debug, Clone)]
pub struct ProcessSpec {
    /// For messages, and the name of its files in `folder`.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments; `{ready_file}` in one of them is replaced by the ready file's path.
    pub args: Vec<String>,
    /// Its environment, besides `PATH` and the like.
    pub env: Vec<(String, String)>,
    /// Gets `NAME.log`, `NAME.ready.json` and `NAME.pid`.
    pub folder: PathBuf,
    /// Its output: to `NAME.log`, and on to this if given.
    pub follow: Option<crate::os::Follow>,
    /// How long it may take to be ready.
    pub ready_within: Duration,
    /// How long it may take to stop before it is killed.
    pub stop_within: Duration,
}

impl ProcessSpec {
    /// A program without arguments that may take 30 s to start and to stop.
    pub fn new(name: impl Into<String>, program: &Path, folder: &Path) -> Self {
        Self {
            name: name.into(),
            program: program.to_owned(),
            args: Vec::new(),
            env: Vec::new(),
            folder: folder.to_owned(),
            follow: None,
            ready_within: Duration::from_secs(30),
            stop_within: Duration::from_secs(30),
        }
    }

    /// The file that the program writes once it is ready.
    pub fn ready_file(&self) -> PathBuf {
        self.folder.join(format!("{}.ready.json", self.name))
    }

    /// The file that gets its output.
    pub fn log_file(&self) -> PathBuf {
        self.folder.join(format!("{}.log", self.name))
    }

    fn pid_file(&self) -> PathBuf {
        self.folder.join(format!("{}.pid", self.name))
    }

    fn command(&self) -> Command {
        let ready_file = self.ready_file();
        let ready_file = ready_file.to_string_lossy();
        let mut command = Command::new(&self.program);
        command.args(
            self.args
                .iter()
                .map(|arg| arg.replace("{ready_file}", &ready_file)),
        );
        command.env_clear();
        let inherited = INHERITED
            .iter()
            .filter_map(|name| Some((name, std::env::var_os(name)?)));
        command
            .envs(inherited)
            .envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    fn spawn(&self) -> Spawn {
        Spawn {
            name: self.name.clone(),
            command: self.command(),
            output: Output {
                log: self.log_file(),
                follow: self.follow.clone(),
            },
            stop: Stop {
                grace: self.stop_within,
                ..Stop::default()
            },
            pid_file: Some(self.pid_file()),
            temporary: None,
        }
    }

    /// Runs it to its end with `input` on standard input, and gives what it wrote on standard
    /// output; standard error goes to its log. It gets `ready_within` for all of it.
    pub async fn output(&self, input: &[u8]) -> Result<Vec<u8>, SpawnError> {
        let failed = |source| SpawnError::Start {
            name: self.name.clone(),
            source,
        };
        std::fs::create_dir_all(&self.folder).map_err(failed)?;
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.log_file());
        let mut command = tokio::process::Command::from(self.command());
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log.map_err(failed)?);
        let mut child = command.kill_on_drop(true).spawn().map_err(failed)?;
        let stdin = child.stdin.take();
        let run = async {
            if let Some(mut stdin) = stdin {
                // A program that does not want its input says so by its exit code.
                let _ = stdin.write_all(input).await;
            }
            child.wait_with_output().await
        };
        let log = || tail(&self.log_file(), SHOWN_LINES);
        let name = self.name.clone();
        match tokio::time::timeout(self.ready_within, run).await {
            Err(_) => {
                let seconds = self.ready_within.as_secs();
                Err(SpawnError::NotReady {
                    name,
                    seconds,
                    log: log(),
                })
            }
            Ok(Err(error)) => Err(failed(error)),
            Ok(Ok(output)) if output.status.success() => Ok(output.stdout),
            Ok(Ok(output)) => Err(SpawnError::Ended {
                name,
                status: output.status,
                log: log(),
            }),
        }
    }
}

/// The addresses that a program bound, by name (`admin`, `http`, `smtp`), as its ready file says:
/// under `addresses` in those of the services, at the top in the sandbox's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ready(BTreeMap<String, SocketAddr>);

impl Ready {
    /// Where it listens for `name`.
    pub fn address(&self, name: &str) -> Option<SocketAddr> {
        self.0.get(name).copied()
    }

    /// Health, readiness and metrics.
    pub fn admin(&self) -> Option<SocketAddr> {
        self.address("admin")
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let json: Value = serde_json::from_slice(bytes).ok()?;
        let addresses = json.get("addresses").unwrap_or(&json).as_object()?;
        let address =
            |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.parse().ok()?));
        Some(Self(addresses.iter().filter_map(address).collect()))
    }
}

/// A running program; dropping it stops it.
#[derive(Debug)]
pub struct Process {
    spec: ProcessSpec,
    child: Child,
    ready: Ready,
}

impl Process {
    /// Starts it and waits until it has written its ready file.
    pub async fn start(spec: ProcessSpec) -> Result<Self, SpawnError> {
        leftover::end(&spec.pid_file()).await;
        let (child, ready) = start(&spec).await?;
        Ok(Self { spec, child, ready })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// Where it listens.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// The process's number.
    pub fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// How it ended, or `None` while it runs.
    pub fn status(&self) -> Option<ExitStatus> {
        self.child.status()
    }

    /// The last lines of its log.
    pub fn log_tail(&self) -> String {
        self.child.log_tail()
    }

    /// The file that gets its output, over all restarts.
    pub fn log_file(&self) -> PathBuf {
        self.spec.log_file()
    }

    /// Waits for its end.
    pub async fn exited(&self) -> ExitStatus {
        self.child.exited().await
    }

    /// Kills it as `kill -9` does and waits until it is gone.
    pub async fn kill9(&mut self) -> ExitStatus {
        self.child.kill9().await
    }

    /// Sends SIGTERM and waits for its end; kills it when that takes too long.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.child.stop().await
    }

    /// Sends it a signal, such as SIGSTOP; nothing happens if it has ended.
    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        self.child.signal(signal);
    }

    /// Starts it again in the same way, after stopping it if it still runs.
    pub async fn restart(&mut self) -> Result<(), SpawnError> {
        self.terminate().await;
        (self.child, self.ready) = start(&self.spec).await?;
        Ok(())
    }

    /// How it is run; a change counts from the next restart.
    pub fn spec_mut(&mut self) -> &mut ProcessSpec {
        &mut self.spec
    }
}

async fn start(spec: &ProcessSpec) -> Result<(Child, Ready), SpawnError> {
    let failed = |source| SpawnError::Start {
        name: spec.name.clone(),
        source,
    };
    std::fs::create_dir_all(&spec.folder).map_err(failed)?;
    let path = spec.ready_file();
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let child = Child::spawn(spec.spawn())?;
    let ready = child.until(read_ready(&path), spec.ready_within).await?;
    Ok((child, ready))
}

/// Resolves once the file is there and whole.
async fn read_ready(path: &Path) -> Ready {
    loop {
        let read = std::fs::read(path).ok();
        if let Some(ready) = read.and_then(|bytes| Ready::read(&bytes)) {
            return ready;
        }
        tokio::time::sleep(POLL).await;
    }
}
