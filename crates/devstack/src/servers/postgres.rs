//! A private Postgres.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio_postgres::NoTls;

use super::error::ServerError;
use super::home::Home;
use super::listening;
use super::program::{find_program, in_folders};
use crate::os::account::Account;
use crate::os::{Child, Output, Spawn, Stop, leftover};

const DEBIAN_PROGRAMS: &str = "/usr/lib/postgresql/*/bin";
/// Recovery after a kill can take a while on a slow disk.
const READY_WITHIN: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(25);
/// A superuser: it may make databases, which is what tests need.
pub(super) const USER: &str = "tinko";

/// What a crash of the machine may cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Durability {
    /// Nothing that was committed: Postgres' own defaults.
    #[default]
    Full,
    /// The data folder (`fsync = off`). For tests that kill Postgres: its own death still costs
    /// nothing that was committed.
    Unsynced,
    /// Besides, at the death of Postgres, the last commits (`synchronous_commit = off`). For tests.
    Fast,
}

/// How a Postgres is to run.
#[derive(Debug, Clone, Copy)]
pub struct PostgresOptions {
    /// See [`Durability`].
    pub durability: Durability,
    /// A free one if `None`.
    pub port: Option<u16>,
    /// Connections at the same time.
    pub max_connections: u32,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            durability: Durability::Full,
            port: None,
            max_connections: 300,
        }
    }
}

/// A running private Postgres with trusted connections from the loopback address only; dropping it
/// stops it.
#[derive(Debug)]
pub struct Postgres {
    child: Child,
    port: u16,
    // After `child`, so that a temporary folder outlives its server.
    _home: Home,
}

impl Postgres {
    /// Starts one on the data of `folder`, which is made, with an empty cluster, if it is not
    /// there. As root it runs as `postgres` or, without that account, as `nobody`, since Postgres
    /// refuses to run as root.
    pub async fn start(folder: &Path, options: PostgresOptions) -> Result<Self, ServerError> {
        let account = Account::unprivileged(&["postgres"]);
        let home = Home::keep(folder, &account)?;
        Self::start_in(home, &account, options).await
    }

    /// Starts an empty one that is gone with the value.
    pub async fn temporary(options: PostgresOptions) -> Result<Self, ServerError> {
        let account = Account::unprivileged(&["postgres"]);
        let home = Home::temporary("postgres", &account)?;
        Self::start_in(home, &account, options).await
    }

    async fn start_in(
        home: Home,
        account: &Account,
        options: PostgresOptions,
    ) -> Result<Self, ServerError> {
        if let Some(path) = home.pid_file() {
            leftover::end(&path).await;
        }
        let data = home.path().join("data");
        if !data.join("PG_VERSION").exists() {
            initdb(&home, account, options.durability).await?;
        }
        let spawn = |port| spawn(&home, account, options, port);
        let answers = |port, _| answers(port, &data);
        let started = listening::start(options.port, READY_WITHIN, spawn, answers).await;
        let (child, port) = started?;
        Ok(Self {
            child,
            port,
            _home: home,
        })
    }

    /// The URL of a database of this server, for its superuser. It need not exist.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{database}", self.port)
    }

    /// The URL of the maintenance database, from which others are made.
    pub fn maintenance_url(&self) -> String {
        self.url("postgres")
    }

    /// Makes a database if it is not there.
    pub async fn ensure_database(&self, name: &str) -> Result<(), tokio_postgres::Error> {
        let client = connect(&self.maintenance_url()).await?;
        let found = client
            .query_opt("SELECT 1 FROM pg_database WHERE datname = $1", &[&name])
            .await?;
        if found.is_none() {
            let quoted = name.replace('"', "\"\"");
            client
                .batch_execute(&format!("CREATE DATABASE \"{quoted}\""))
                .await?;
        }
        Ok(())
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's process.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Stops it in order: sessions are ended, and what is in memory is written.
    pub async fn stop(mut self) {
        self.child.stop().await;
    }
}

/// One connection, driven by a task of the current run-time until the client is dropped.
pub(crate) async fn connect(url: &str) -> Result<tokio_postgres::Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Both from the same version, so `initdb` is taken from where `postgres` is.
fn programs() -> Result<(PathBuf, PathBuf), ServerError> {
    let pair = |postgres: PathBuf| {
        // In PATH it may be a link into its version's folder, where the others are.
        let postgres = postgres.canonicalize().ok()?;
        let initdb = postgres.with_file_name("initdb");
        initdb.is_file().then_some((postgres, initdb))
    };
    in_folders("postgres", DEBIAN_PROGRAMS)
        .and_then(pair)
        .or_else(|| find_program("postgres", DEBIAN_PROGRAMS).and_then(pair))
        .ok_or(ServerError::Missing {
            program: "postgres",
            looked: DEBIAN_PROGRAMS.into(),
            package: "postgresql",
        })
}

async fn initdb(home: &Home, account: &Account, speed: Durability) -> Result<(), ServerError> {
    let data = home.path().join("data");
    // A folder without PG_VERSION is what an interrupted initdb left, which the next one refuses.
    let failed = |source| ServerError::Folder {
        path: data.clone(),
        source,
    };
    if data.exists() {
        std::fs::remove_dir_all(&data).map_err(failed)?;
    }
    let mut command = Command::new(programs()?.1);
    command
        .args([
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-instructions",
        ])
        .args(["--username", USER, "--pgdata"])
        .arg(&data)
        .current_dir(home.path());
    if speed != Durability::Full {
        command.arg("--no-sync");
    }
    account.apply(&mut command);
    let output = tokio::process::Command::from(command)
        .kill_on_drop(true)
        .output()
        .await
        .map_err(failed)?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(ServerError::Initdb {
        path: data,
        said: String::from_utf8_lossy(&said).into_owned(),
    })
}

fn spawn(
    home: &Home,
    account: &Account,
    options: PostgresOptions,
    port: u16,
) -> Result<Spawn, ServerError> {
    let data = home.path().join("data");
    let mut settings = vec![
        "listen_addresses=127.0.0.1".to_owned(),
        format!("port={port}"),
        // No socket file, so none that another server could have.
        "unix_socket_directories=".to_owned(),
        format!("max_connections={}", options.max_connections),
    ];
    if options.durability != Durability::Full {
        settings.extend(["fsync=off", "full_page_writes=off"].map(Into::into));
    }
    if options.durability == Durability::Fast {
        settings.push("synchronous_commit=off".to_owned());
    }
    let mut command = Command::new(programs()?.0);
    command.arg("-D").arg(data).current_dir(home.path());
    command.args(settings.iter().flat_map(|setting| ["-c", setting]));
    account.apply(&mut command);
    Ok(Spawn {
        name: "postgres".to_owned(),
        command,
        output: Output::to(home.path().join("log")),
        // "Fast shutdown", and "immediate shutdown" in a hurry: it recovers at the next start
        // (postgres(1)).
        stop: Stop {
            signal: Signal::SIGINT,
            hasty: match options.durability {
                Durability::Full => Signal::SIGINT,
                Durability::Unsynced | Durability::Fast => Signal::SIGQUIT,
            },
            grace: Duration::from_secs(20),
        },
        pid_file: home.pid_file(),
        temporary: home.temporary_path(),
    })
}

/// Resolves once the server answers and says that its data are ours: another one could have been
/// given the port.
async fn answers(port: u16, data: &Path) {
    let url = format!("postgres://{USER}@127.0.0.1:{port}/postgres");
    let asked = async || {
        let row = connect(&url)
            .await?
            .query_one("SHOW data_directory", &[])
            .await?;
        row.try_get::<_, String>(0)
    };
    while !asked().await.is_ok_and(|answer| Path::new(&answer) == data) {
        tokio::time::sleep(POLL).await;
    }
}
