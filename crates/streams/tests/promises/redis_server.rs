//! A private Redis.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::stage::eventually;

/// A Redis that keeps nothing on disk, on a socket in a folder of its own: no
/// port can be taken by someone else. Ends with its value.
pub(crate) struct RedisServer {
    folder: TempDir,
    process: Option<Child>,
}

impl RedisServer {
    /// A server that is not running yet.
    pub(crate) fn stopped() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            process: None,
        }
    }

    pub(crate) async fn start(&mut self) {
        let child = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(self.folder.path())
            .arg("--unixsocket")
            .arg(self.socket())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server must be on PATH (Debian: apt-get install redis-server)");
        self.process = Some(child);
        let client = redis::Client::open(self.url()).unwrap();
        eventually(
            "redis-server answers",
            Duration::from_secs(20),
            async || {
                let Ok(mut connection) = client.get_multiplexed_async_connection().await else {
                    return false;
                };
                let pong: Result<String, _> = redis::cmd("PING").query_async(&mut connection).await;
                pong.is_ok()
            },
        )
        .await;
    }

    /// Kills it, with all it held.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}
