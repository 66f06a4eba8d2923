//! A private Redis.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::error::ServerError;
use super::home::Home;
use super::listening;
use super::program::find_program;
use crate::os::account::Account;
use crate::os::{Child, Output, Spawn, Stop, leftover};

const READY_WITHIN: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(10);
/// Tests take one logical database each; an unused one costs some bytes.
const DATABASES: &str = "4096";

/// How a Redis is to run.
#[derive(Debug, Clone, Copy, Default)]
pub struct RedisOptions {
    /// Keeps an append-only file, written every second, so that a restart finds its entries.
    pub append_only: bool,
    /// A free one if `None`.
    pub port: Option<u16>,
}

/// A running private Redis; dropping it stops it.
#[derive(Debug)]
pub struct Redis {
    child: Child,
    port: u16,
    // After `child`, so that a temporary folder outlives its server.
    _home: Home,
}

impl Redis {
    /// Starts one on the data of `folder`, which is made if it is not there.
    pub async fn start(folder: &Path, options: RedisOptions) -> Result<Self, ServerError> {
        let home = Home::keep(folder, &Account::Own)?;
        Self::start_in(home, options).await
    }

    /// Starts one that keeps nothing.
    pub async fn temporary() -> Result<Self, ServerError> {
        let home = Home::temporary("redis", &Account::Own)?;
        Self::start_in(home, RedisOptions::default()).await
    }

    async fn start_in(home: Home, options: RedisOptions) -> Result<Self, ServerError> {
        if let Some(path) = home.pid_file() {
            leftover::end(&path).await;
        }
        let spawn = |port| spawn(&home, options, port);
        let started = listening::start(options.port, READY_WITHIN, spawn, answers).await;
        let (child, port) = started?;
        Ok(Self {
            child,
            port,
            _home: home,
        })
    }

    /// `redis://127.0.0.1:PORT/0`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's process.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Stops it in order.
    pub async fn stop(mut self) {
        self.child.stop().await;
    }
}

fn spawn(home: &Home, options: RedisOptions, port: u16) -> Result<Spawn, ServerError> {
    let program = find_program("redis-server", "/usr/local/bin").ok_or(ServerError::Missing {
        program: "redis-server",
        looked: "/usr/local/bin".into(),
        package: "redis-server",
    })?;
    let append_only = if options.append_only { "yes" } else { "no" };
    let port = port.to_string();
    let mut command = Command::new(program);
    command
        .args([
            "--bind",
            "127.0.0.1",
            "--port",
            &port,
            "--databases",
            DATABASES,
        ])
        .args([
            "--daemonize",
            "no",
            "--save",
            "",
            "--appendonly",
            append_only,
        ])
        .arg("--dir")
        .arg(home.path());
    Ok(Spawn {
        name: "redis-server".to_owned(),
        command,
        output: Output::to(home.path().join("log")),
        stop: Stop::default(),
        pid_file: home.pid_file(),
        temporary: home.temporary_path(),
    })
}

/// Resolves once the server answers as the process that was started, another one could have been
/// given the port, and has loaded its data: until then it answers LOADING.
async fn answers(port: u16, pid: u32) {
    while !matches!(is_ready(port, pid).await, Ok(true)) {
        tokio::time::sleep(POLL).await;
    }
}

async fn is_ready(port: u16, pid: u32) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(b"INFO server\r\nPING\r\nQUIT\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer.contains(&format!("process_id:{pid}\r\n")) && answer.contains("+PONG"))
}
