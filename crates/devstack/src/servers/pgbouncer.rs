//! A private PgBouncer in transaction mode, in front of a Postgres.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio_postgres::config::Host;

use super::error::ServerError;
use super::home::Home;
use super::listening;
use super::postgres::{USER, connect};
use crate::os::account::Account;
use crate::os::{Child, Output, Spawn, Stop, leftover};

const READY_WITHIN: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(10);
/// Its own database, for SHOW, PAUSE and the like.
const CONSOLE: &str = "pgbouncer";

/// Which PgBouncer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PgBouncerEdition {
    /// Debian 13's 1.24, which can serve protocol-level prepared statements.
    #[default]
    Current,
    /// Debian 12's 1.18, which can't: for seeing it refused.
    Debian12,
}

impl PgBouncerEdition {
    /// As `scripts/build-pgbouncer` names it.
    const fn suite(self) -> &'static str {
        match self {
            Self::Current => "trixie",
            Self::Debian12 => "bookworm",
        }
    }
}

/// How a PgBouncer is to run.
#[derive(Debug, Clone, Copy)]
pub struct PgBouncerOptions {
    /// See [`PgBouncerEdition`].
    pub edition: PgBouncerEdition,
    /// `max_prepared_statements`; 0 turns them off. 1.18 knows no such setting.
    pub prepared_statements: u32,
    /// Connections to Postgres for each database (`default_pool_size`).
    pub pool_size: u32,
    /// A free one if `None`.
    pub port: Option<u16>,
}

impl Default for PgBouncerOptions {
    fn default() -> Self {
        Self {
            edition: PgBouncerEdition::Current,
            prepared_statements: 200,
            pool_size: 20,
            port: None,
        }
    }
}

/// A running private PgBouncer; dropping it stops it. Every database of the Postgres behind it is
/// to be had through it.
#[derive(Debug)]
pub struct PgBouncer {
    child: Child,
    port: u16,
    // After `child`, so that a temporary folder outlives its server.
    _home: Home,
}

impl PgBouncer {
    /// Starts one in `folder`, which is made if it is not there, in front of the server of the
    /// Postgres URL `upstream`.
    pub async fn start(
        folder: &Path,
        upstream: &str,
        options: PgBouncerOptions,
    ) -> Result<Self, ServerError> {
        let account = account();
        let home = Home::keep(folder, &account)?;
        Self::start_in(home, &account, upstream, options).await
    }

    /// Starts one whose folder is gone with the value.
    pub async fn temporary(upstream: &str, options: PgBouncerOptions) -> Result<Self, ServerError> {
        let account = account();
        let home = Home::temporary("pgbouncer", &account)?;
        Self::start_in(home, &account, upstream, options).await
    }

    async fn start_in(
        home: Home,
        account: &Account,
        upstream: &str,
        options: PgBouncerOptions,
    ) -> Result<Self, ServerError> {
        if let Some(path) = home.pid_file() {
            leftover::end(&path).await;
        }
        place_program(&home, account, options.edition)?;
        let spawn = |port| {
            write_settings(&home, upstream, options, port).map_err(in_folder(&home))?;
            Ok(spawn(&home, account))
        };
        let answers = |port, _| answers(port);
        let started = listening::start(options.port, READY_WITHIN, spawn, answers).await;
        let (child, port) = started?;
        Ok(Self {
            child,
            port,
            _home: home,
        })
    }

    /// The URL of a database of the Postgres behind it, for its superuser. It need not exist.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{database}", self.port)
    }

    /// The URL of its own console, which answers simple queries such as `SHOW POOLS`.
    pub fn console_url(&self) -> String {
        self.url(CONSOLE)
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's process.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Stops it: clients are cut off, as by its restart.
    pub async fn stop(mut self) {
        self.child.stop().await;
    }
}

/// It refuses to run as root.
fn account() -> Account {
    Account::unprivileged(&["postgres"])
}

fn in_folder(home: &Home) -> impl FnOnce(std::io::Error) -> ServerError {
    let path = home.path().to_owned();
    move |source| ServerError::Folder { path, source }
}

/// A copy in its own folder: what was built lies in a home that its account may not enter.
fn place_program(
    home: &Home,
    account: &Account,
    edition: PgBouncerEdition,
) -> Result<(), ServerError> {
    let built = built(edition).ok_or_else(|| ServerError::NotBuilt {
        program: "PgBouncer",
        looked: kept(edition),
        script: "scripts/build-pgbouncer",
    })?;
    let place = home.path().join("pgbouncer");
    std::fs::copy(built, &place)
        .and_then(|_| account.own(&place))
        .map_err(in_folder(home))
}

/// The one of the machine is not asked: nothing says which it is.
fn built(edition: PgBouncerEdition) -> Option<PathBuf> {
    Some(kept(edition)).filter(|path| path.is_file())
}

/// Where `scripts/build-pgbouncer` keeps it.
fn kept(edition: PgBouncerEdition) -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let cache = set("XDG_CACHE_HOME").map_or_else(
        || PathBuf::from(set("HOME").unwrap_or_else(|| "/".into())).join(".cache"),
        PathBuf::from,
    );
    cache
        .join("tinko/pgbouncer")
        .join(edition.suite())
        .join("pgbouncer")
}

fn write_settings(
    home: &Home,
    upstream: &str,
    options: PgBouncerOptions,
    port: u16,
) -> std::io::Result<()> {
    let (host, upstream_port) = address_of(upstream).map_err(std::io::Error::other)?;
    let prepared = match options.edition {
        PgBouncerEdition::Current => {
            format!(
                "max_prepared_statements = {}\n",
                options.prepared_statements
            )
        }
        PgBouncerEdition::Debian12 => String::new(),
    };
    let folder = home.path();
    std::fs::write(folder.join("users.txt"), format!("\"{USER}\" \"\"\n"))?;
    std::fs::write(
        folder.join("pgbouncer.ini"),
        format!(
            "[databases]\n\
             * = host={host} port={upstream_port}\n\
             [pgbouncer]\n\
             listen_addr = 127.0.0.1\n\
             listen_port = {port}\n\
             unix_socket_dir =\n\
             auth_type = trust\n\
             auth_file = {users}\n\
             admin_users = {USER}\n\
             pool_mode = transaction\n\
             {prepared}\
             default_pool_size = {pool_size}\n\
             max_client_conn = 2000\n\
             log_connections = 0\n\
             log_disconnections = 0\n",
            users = folder.join("users.txt").display(),
            pool_size = options.pool_size,
        ),
    )
}

fn address_of(url: &str) -> Result<(String, u16), String> {
    let config: tokio_postgres::Config = url
        .parse()
        .map_err(|error| format!("the address of the Postgres behind it does not read: {error}"))?;
    let host = match config.get_hosts() {
        [Host::Tcp(host), ..] => host.clone(),
        [Host::Unix(folder), ..] => folder.display().to_string(),
        [] => "127.0.0.1".to_owned(),
    };
    Ok((host, config.get_ports().first().copied().unwrap_or(5432)))
}

fn spawn(home: &Home, account: &Account) -> Spawn {
    let folder = home.path();
    let mut command = Command::new(folder.join("pgbouncer"));
    command
        .arg(folder.join("pgbouncer.ini"))
        .current_dir(folder);
    account.apply(&mut command);
    Spawn {
        name: "pgbouncer".to_owned(),
        command,
        output: Output::to(folder.join("log")),
        // "Immediate shutdown" (pgbouncer(1)): a client that stays on would hold a gentler one up.
        // Since 1.23 SIGTERM waits for clients; before, SIGINT did.
        stop: Stop {
            signal: Signal::SIGQUIT,
            hasty: Signal::SIGQUIT,
            grace: Duration::from_secs(10),
        },
        pid_file: home.pid_file(),
        temporary: home.temporary_path(),
    }
}

/// Resolves once its console answers.
async fn answers(port: u16) {
    let url = format!("postgres://{USER}@127.0.0.1:{port}/{CONSOLE}");
    let asked = async || connect(&url).await?.simple_query("SHOW VERSION").await;
    while asked().await.is_err() {
        tokio::time::sleep(POLL).await;
    }
}
