//! A server's own folder, which its account can reach and write.

use std::fs::{DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::error::ServerError;
use crate::os::account::Account;

/// Where folders go that their account could not reach inside the repository, such as one that
/// lies in root's home. Kept over reboots, unlike `/tmp`.
const ELSEWHERE: &str = "/var/tmp";
const ELSEWHERE_PREFIX: &str = "tinko";
/// Names in each folder the path that was wanted, where for one outside its link is.
const ORIGIN: &str = "origin";
const PID_FILE: &str = "server.pid";

/// A folder that belongs to one server.
#[derive(Debug)]
pub struct Home {
    path: PathBuf,
    temporary: Option<TempDir>,
}

impl Home {
    /// Takes `path`, made if it is not there, for a server that runs as `account`. If that account
    /// cannot reach it, the folder is made under `/var/tmp` and `path` becomes a link to it.
    pub fn keep(path: &Path, account: &Account) -> Result<Self, ServerError> {
        let failed = |source| ServerError::Folder {
            path: path.to_owned(),
            source,
        };
        let wanted = std::path::absolute(path).map_err(failed)?;
        let parent = wanted.parent().unwrap_or(Path::new("/"));
        std::fs::create_dir_all(parent).map_err(failed)?;
        let real = if account.can_reach(parent) {
            wanted.clone()
        } else {
            place_elsewhere(&wanted).map_err(failed)?
        };
        if !real.is_dir() {
            DirBuilder::new()
                .mode(0o700)
                .create(&real)
                .map_err(failed)?;
            // Before the folder is given away, while this account may surely write in it.
            std::fs::write(real.join(ORIGIN), wanted.as_os_str().as_encoded_bytes())
                .map_err(failed)?;
            account.own(&real).map_err(failed)?;
        }
        if !account.owns(&real) {
            return Err(ServerError::NotOurs { path: real });
        }
        Ok(Self {
            path: real,
            temporary: None,
        })
    }

    /// A folder that is removed with the value.
    pub fn temporary(name: &str, account: &Account) -> Result<Self, ServerError> {
        let failed = |source| ServerError::Folder {
            path: std::env::temp_dir(),
            source,
        };
        let mut builder = tempfile::Builder::new();
        builder.permissions(Permissions::from_mode(0o700));
        let prefix = format!("tinko-{name}-");
        let mut made = builder.prefix(&prefix).tempdir().map_err(failed)?;
        if !account.can_reach(made.path().parent().unwrap_or(Path::new("/"))) {
            made = builder
                .prefix(&prefix)
                .tempdir_in(ELSEWHERE)
                .map_err(failed)?;
        }
        account.own(made.path()).map_err(failed)?;
        Ok(Self {
            path: made.path().to_owned(),
            temporary: Some(made),
        })
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder, if it is to be removed once its server is gone.
    pub(crate) fn temporary_path(&self) -> Option<PathBuf> {
        self.temporary.as_ref().map(|made| made.path().to_owned())
    }

    /// Where the server's pid file stands: only where a later start can find it.
    pub(crate) fn pid_file(&self) -> Option<PathBuf> {
        self.temporary.is_none().then(|| self.path.join(PID_FILE))
    }

    /// Removes a folder that [`Home::keep`] made, and its link.
    pub fn remove(path: &Path) -> std::io::Result<()> {
        let ignore_absent = |result: std::io::Result<()>| match result {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            other => other,
        };
        match std::fs::read_link(path) {
            Ok(real) => {
                ignore_absent(std::fs::remove_dir_all(real))?;
                std::fs::remove_file(path)
            }
            Err(_) => ignore_absent(std::fs::remove_dir_all(path)),
        }
    }
}

/// The folder outside, named after the one that was wanted, and a link to it from there.
fn place_elsewhere(wanted: &Path) -> std::io::Result<PathBuf> {
    remove_orphans();
    if let Ok(real) = std::fs::read_link(wanted) {
        return Ok(real);
    }
    let name = wanted
        .to_string_lossy()
        .replace('-', "--")
        .replace('/', "-");
    let real = Path::new(ELSEWHERE).join(format!("{ELSEWHERE_PREFIX}{name}"));
    if real.exists() && !real.join(PID_FILE).exists() {
        // Whoever removed the link meant the data.
        std::fs::remove_dir_all(&real)?;
    }
    symlink(&real, wanted)?;
    Ok(real)
}

/// Removes folders outside whose link lay among temporary files and is gone: whoever removed the
/// link's folder could not know of them. One without [`ORIGIN`] is not ours to judge.
fn remove_orphans() {
    let entries = std::fs::read_dir(ELSEWHERE).into_iter().flatten().flatten();
    for folder in entries
        .map(|entry| entry.path())
        .filter(|path| is_orphan(path))
    {
        // Best effort: another account's stays until that account looks.
        let _ = std::fs::remove_dir_all(folder);
    }
}

fn is_orphan(folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default();
    let is_ours = name.to_string_lossy().starts_with(ELSEWHERE_PREFIX);
    let in_use = folder.join(PID_FILE).exists();
    let origin = std::fs::read_to_string(folder.join(ORIGIN)).map(PathBuf::from);
    let is_gone = origin.is_ok_and(|origin| {
        origin.starts_with(std::env::temp_dir()) && std::fs::symlink_metadata(origin).is_err()
    });
    is_ours && !in_use && is_gone
}

#[cfg(test)]
mod tests {
    use nix::unistd::Uid;

    use super::*;

    #[test]
    fn a_folder_that_the_account_cannot_reach_is_kept_elsewhere_and_found_again() {
        if !Uid::effective().is_root() {
            // Only root switches accounts, so only root meets folders that the server cannot reach.
            return;
        }
        let closed = tempfile::Builder::new()
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .unwrap();
        let wanted = closed.path().join("postgres");
        let account = Account::unprivileged(&["postgres"]);

        let home = Home::keep(&wanted, &account).unwrap();
        assert!(home.path().starts_with(ELSEWHERE));
        std::fs::write(home.path().join("kept"), "x").unwrap();
        let again = Home::keep(&wanted, &account).unwrap();
        assert!(again.path().join("kept").exists());

        Home::remove(&wanted).unwrap();
        assert!(!again.path().exists() && !wanted.is_symlink());
    }

    #[test]
    fn what_a_removed_link_led_to_is_removed_at_the_next_look() {
        if !Uid::effective().is_root() {
            return;
        }
        let closed = || {
            let mut builder = tempfile::Builder::new();
            builder
                .permissions(Permissions::from_mode(0o700))
                .tempdir()
                .unwrap()
        };
        let account = Account::unprivileged(&["postgres"]);
        let removed = closed();
        let orphan = Home::keep(&removed.path().join("postgres"), &account).unwrap();
        drop(removed);
        assert!(orphan.path().exists());

        let next = closed();
        let wanted = next.path().join("postgres");
        Home::keep(&wanted, &account).unwrap();
        assert!(!orphan.path().exists());
        Home::remove(&wanted).unwrap();
    }

    #[test]
    fn a_folder_of_another_account_is_refused() {
        if !Uid::effective().is_root() {
            return;
        }
        let open = tempfile::Builder::new()
            .permissions(Permissions::from_mode(0o711))
            .tempdir()
            .unwrap();
        let wanted = open.path().join("postgres");
        std::fs::create_dir(&wanted).unwrap();
        let refused = Home::keep(&wanted, &Account::unprivileged(&["postgres"]));
        assert!(matches!(refused, Err(ServerError::NotOurs { .. })));
    }
}
