//! A private RabbitMQ, with a name server (epmd) of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::error::ServerError;
use super::home::Home;
use super::program::{find_program, in_folders};
use crate::os::account::Account;
use crate::os::port::free_port;
use crate::os::{Child, Output, Spawn, Stop, leftover};

/// The scripts behind Debian's wrapper, which itself insists on root or the rabbitmq account.
const DEBIAN_SCRIPTS: &str = "/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin";
/// Some 7 s on an idle machine with 2 cores.
const READY_WITHIN: Duration = Duration::from_mins(2);
const POLL: Duration = Duration::from_millis(100);

/// A running private RabbitMQ; dropping it stops it, and its epmd.
#[derive(Debug)]
pub struct RabbitMq {
    broker: Child,
    epmd: Child,
    port: u16,
    // After the processes, so that a temporary folder outlives them.
    _home: Home,
}

impl RabbitMq {
    /// Starts one on the data of `folder`, which is made if it is not there. As root it runs as
    /// `rabbitmq` or, without that account, as `nobody`.
    pub async fn start(folder: &Path, port: Option<u16>) -> Result<Self, ServerError> {
        let account = Account::unprivileged(&["rabbitmq"]);
        let home = Home::keep(folder, &account)?;
        Self::start_in(home, &account, port).await
    }

    /// Starts an empty one that is gone with the value.
    pub async fn temporary() -> Result<Self, ServerError> {
        let account = Account::unprivileged(&["rabbitmq"]);
        let home = Home::temporary("rabbitmq", &account)?;
        Self::start_in(home, &account, None).await
    }

    async fn start_in(
        home: Home,
        account: &Account,
        port: Option<u16>,
    ) -> Result<Self, ServerError> {
        for name in ["server.pid", "epmd.pid"] {
            leftover::end(&home.path().join(name)).await;
        }
        let port = port.unwrap_or_else(free_port);
        let names = free_port();
        write_settings(&home).map_err(|source| ServerError::Folder {
            path: home.path().to_owned(),
            source,
        })?;
        let epmd = Child::spawn(spawn_epmd(&home, account, names)?)?;
        epmd.until(connects(names), READY_WITHIN).await?;
        let broker = Child::spawn(spawn_broker(&home, account, port, names)?)?;
        broker.until(answers(port), READY_WITHIN).await?;
        Ok(Self {
            broker,
            epmd,
            port,
            _home: home,
        })
    }

    /// `amqp://guest:guest@127.0.0.1:PORT/%2f`; the guest account is RabbitMQ's own, for loopback
    /// only.
    pub fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.port)
    }

    /// Where it listens, to be started there again.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The broker's process.
    pub fn child(&mut self) -> &mut Child {
        &mut self.broker
    }

    /// Stops it in order.
    pub async fn stop(mut self) {
        self.broker.stop().await;
        self.epmd.stop().await;
    }
}

/// Files of its own for everything that would else be read from `/etc/rabbitmq`.
fn write_settings(home: &Home) -> std::io::Result<()> {
    let folder = home.path();
    std::fs::write(folder.join("env.conf"), "")?;
    std::fs::write(folder.join("enabled_plugins"), "[].\n")?;
    std::fs::write(folder.join("rabbitmq.conf"), "listeners.ssl = none\n")
}

fn spawn_epmd(home: &Home, account: &Account, port: u16) -> Result<Spawn, ServerError> {
    let program = find_program("epmd", "/usr/lib/erlang/bin").ok_or(ServerError::Missing {
        program: "epmd",
        looked: "/usr/lib/erlang/bin".into(),
        package: "rabbitmq-server",
    })?;
    let mut command = Command::new(program);
    command
        .args(["-address", "127.0.0.1", "-port", &port.to_string()])
        .current_dir(home.path());
    account.apply(&mut command);
    Ok(Spawn {
        name: "epmd".to_owned(),
        command,
        output: Output::to(home.path().join("epmd.log")),
        stop: Stop::default(),
        pid_file: home.pid_file().map(|path| path.with_file_name("epmd.pid")),
        temporary: None,
    })
}

fn broker_script() -> Result<PathBuf, ServerError> {
    in_folders("rabbitmq-server", DEBIAN_SCRIPTS)
        .or_else(|| find_program("rabbitmq-server", DEBIAN_SCRIPTS))
        .ok_or(ServerError::Missing {
            program: "rabbitmq-server",
            looked: DEBIAN_SCRIPTS.into(),
            package: "rabbitmq-server",
        })
}

fn spawn_broker(
    home: &Home,
    account: &Account,
    port: u16,
    names: u16,
) -> Result<Spawn, ServerError> {
    let folder = home.path();
    let mut command = Command::new(broker_script()?);
    command
        .current_dir(folder)
        // The cookie by which nodes know each other is kept in HOME: one of its own.
        .env("HOME", folder)
        .env("ERL_EPMD_ADDRESS", "127.0.0.1")
        .env("ERL_EPMD_PORT", names.to_string())
        .env("RABBITMQ_NODENAME", "tinko@localhost")
        .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
        .env("RABBITMQ_NODE_PORT", port.to_string())
        .env("RABBITMQ_DIST_PORT", free_port().to_string())
        .env("RABBITMQ_MNESIA_BASE", folder.join("data"))
        .env("RABBITMQ_LOG_BASE", folder.join("logs"))
        .env("RABBITMQ_PID_FILE", folder.join("broker.pid"))
        .env("RABBITMQ_CONF_ENV_FILE", folder.join("env.conf"))
        .env("RABBITMQ_CONFIG_FILE", folder.join("rabbitmq.conf"))
        .env(
            "RABBITMQ_ENABLED_PLUGINS_FILE",
            folder.join("enabled_plugins"),
        )
        // The script then becomes the Erlang machine instead of waiting for it, so that its pid
        // and its signals are the broker's. Nothing is told to systemd without NOTIFY_SOCKET.
        .env("RUNNING_UNDER_SYSTEMD", "true")
        .env_remove("NOTIFY_SOCKET");
    account.apply(&mut command);
    Ok(Spawn {
        name: "rabbitmq-server".to_owned(),
        command,
        output: Output::to(folder.join("log")),
        stop: Stop {
            grace: Duration::from_secs(30),
            ..Stop::default()
        },
        pid_file: home.pid_file(),
        temporary: home.temporary_path(),
    })
}

async fn connects(port: u16) {
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        tokio::time::sleep(POLL).await;
    }
}

/// Resolves once the broker opens the AMQP 0-9-1 conversation.
async fn answers(port: u16) {
    while !matches!(greet(port).await, Ok(true)) {
        tokio::time::sleep(POLL).await;
    }
}

/// Sends the protocol header; a broker that is up answers `Connection.Start`, a frame of type 1.
async fn greet(port: u16) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(b"AMQP\x00\x00\x09\x01").await?;
    Ok(stream.read_u8().await? == 1)
}
