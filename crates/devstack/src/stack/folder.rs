//! The folder of one stack: taken by one holder at a time, cleaned of what a killed one left.

use std::fs::{File, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StackError;
use crate::os::leftover;
use crate::servers::Home;

/// The folders that servers keep, each perhaps a link to where its account can reach it.
const SERVERS: [&str; 3] = ["postgres", "redis", "rabbitmq"];

/// A stack's folder, locked until it is dropped.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    // The kernel unlocks it when its holder dies, however it does.
    _lock: File,
}

impl Folder {
    /// Makes the folder if need be, locks it, and ends what an earlier, killed holder left running
    /// in it.
    pub async fn take(path: &Path) -> Result<Self, StackError> {
        let failed = |source| StackError::File {
            path: path.to_owned(),
            source,
        };
        std::fs::create_dir_all(path).map_err(failed)?;
        let path = std::path::absolute(path).map_err(failed)?;
        let lock = File::options()
            .create(true)
            .append(true)
            .open(path.join("lock"));
        let lock = lock.map_err(|source| StackError::File {
            path: path.join("lock"),
            source,
        })?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StackError::InUse(path)),
            Err(TryLockError::Error(source)) => return Err(StackError::File { path, source }),
        }
        let folder = Self { path, _lock: lock };
        folder.end_leftovers().await;
        Ok(folder)
    }

    /// Removes everything in it: data, logs, ports and keys.
    pub fn clear(&self) -> Result<(), StackError> {
        let failed = |path: &Path, source| StackError::File {
            path: path.to_owned(),
            source,
        };
        for server in SERVERS {
            let path = self.join(server);
            Home::remove(&path).map_err(|source| failed(&path, source))?;
        }
        let entries = std::fs::read_dir(&self.path).map_err(|source| failed(&self.path, source))?;
        for path in entries.flatten().map(|entry| entry.path()) {
            let removed = match path.file_name() {
                Some(name) if name == "lock" => Ok(()),
                _ if path.is_dir() => std::fs::remove_dir_all(&path),
                _ => std::fs::remove_file(&path),
            };
            removed.map_err(|source| failed(&path, source))?;
        }
        Ok(())
    }

    /// A path in it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where our programs' logs are.
    pub fn run(&self) -> PathBuf {
        self.join("run")
    }

    /// A file of JSON in it, if it is there and readable as that.
    pub(super) fn read_json<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_slice(&std::fs::read(self.join(name)).ok()?).ok()
    }

    /// Writes a file of JSON for its owner's eyes only.
    pub(super) fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), StackError> {
        let path = self.join(name);
        let write = || -> std::io::Result<()> {
            let partial = self.join(&format!("{name}.partial"));
            let mut options = File::options();
            let file = options
                .create(true)
                .truncate(true)
                .write(true)
                .mode(0o600)
                .open(&partial)?;
            serde_json::to_writer_pretty(file, value)?;
            std::fs::rename(partial, &path)
        };
        write().map_err(|source| StackError::File {
            path: path.clone(),
            source,
        })
    }

    /// Services first, so that a server is not kept from stopping by their connections.
    async fn end_leftovers(&self) {
        let named = std::fs::read_dir(self.run())
            .into_iter()
            .flatten()
            .flatten();
        let services = named.map(|entry| entry.path());
        let services = services.filter(|path| path.extension().is_some_and(|end| end == "pid"));
        let servers = SERVERS
            .iter()
            .map(|name| self.join(name).join("server.pid"));
        let epmd = self.join("rabbitmq").join("epmd.pid");
        for path in services.chain(servers).chain([epmd]) {
            leftover::end(&path).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_holder_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = Folder::take(folder.path()).await.unwrap();
        assert!(matches!(
            Folder::take(folder.path()).await,
            Err(StackError::InUse(_))
        ));
        drop(first);
        Folder::take(folder.path()).await.unwrap();
    }

    #[tokio::test]
    async fn clearing_leaves_nothing_but_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let taken = Folder::take(folder.path()).await.unwrap();
        std::fs::create_dir_all(taken.join("postgres/data")).unwrap();
        std::fs::write(taken.join("ports.json"), "{}").unwrap();
        taken.clear().unwrap();
        let left: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .flatten()
            .collect();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].file_name(), "lock");
    }
}
