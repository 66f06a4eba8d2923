//! Ports that stay the same from start to start, so that links and bookmarks do too.

use serde::{Deserialize, Serialize};

use super::StackError;
use super::folder::Folder;
use crate::os::port::{free_port, is_free};

const FILE: &str = "ports.json";

/// The stack's ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ports {
    pub(super) api: u16,
    pub(super) sandbox: u16,
    pub(super) smtp: u16,
    pub(super) postgres: u16,
    pub(super) redis: u16,
    pub(super) amqp: u16,
}

impl Ports {
    /// Those of the last start, except where somebody else has taken one since; kept for the next.
    pub(super) fn load(folder: &Folder) -> Result<Self, StackError> {
        let mut ports: Self = folder.read_json(FILE).unwrap_or_else(Self::free);
        for port in ports.all() {
            if !is_free(*port) {
                *port = free_port();
            }
        }
        folder.write_json(FILE, &ports)?;
        Ok(ports)
    }

    fn free() -> Self {
        Self {
            api: free_port(),
            sandbox: free_port(),
            smtp: free_port(),
            postgres: free_port(),
            redis: free_port(),
            amqp: free_port(),
        }
    }

    fn all(&mut self) -> [&mut u16; 6] {
        [
            &mut self.api,
            &mut self.sandbox,
            &mut self.smtp,
            &mut self.postgres,
            &mut self.redis,
            &mut self.amqp,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn ports_stay_unless_somebody_takes_one() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Folder::take(folder.path()).await.unwrap();
        let first = Ports::load(&folder).unwrap();
        let taken = std::net::TcpListener::bind(("127.0.0.1", first.api)).unwrap();
        let second = Ports::load(&folder).unwrap();
        assert_ne!(second.api, first.api);
        assert_eq!(
            Ports {
                api: first.api,
                ..second
            },
            first
        );
        drop(taken);
    }
}
