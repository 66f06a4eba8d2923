//! The account a server runs as, and folders that it may use.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::unistd::{Gid, Uid, User};

/// Who a server runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Account {
    /// The account that runs this process.
    Own,
    /// Another, which only root can switch to.
    Other {
        /// Its user.
        uid: Uid,
        /// Its group.
        gid: Gid,
        /// For programs that look it up.
        home: PathBuf,
    },
}

impl Account {
    /// For servers that refuse to run as root: the caller's own account if it is not root, else
    /// the first of `names` that the machine knows, else `nobody`, else root after all (the
    /// server then refuses in its own words).
    pub fn unprivileged(names: &[&str]) -> Self {
        if !Uid::effective().is_root() {
            return Self::Own;
        }
        let mut known = names.iter().chain(&["nobody"]);
        let user = known.find_map(|name| User::from_name(name).ok().flatten());
        user.map_or(Self::Own, |user| Self::Other {
            uid: user.uid,
            gid: user.gid,
            home: user.dir,
        })
    }

    /// Makes `command` run as this account.
    pub fn apply(&self, command: &mut Command) {
        if let Self::Other { uid, gid, .. } = self {
            command.uid(uid.as_raw()).gid(gid.as_raw());
        }
    }

    /// Gives a file or folder to this account.
    pub fn own(&self, path: &Path) -> std::io::Result<()> {
        match self {
            Self::Own => Ok(()),
            Self::Other { uid, gid, .. } => chown(path, Some(uid.as_raw()), Some(gid.as_raw())),
        }
    }

    /// Whether this account may pass through every folder of the absolute path `folder`, itself
    /// included. Looks at owner, group and mode; access lists are not considered.
    pub fn can_reach(&self, folder: &Path) -> bool {
        let Self::Other { uid, gid, .. } = self else {
            return true;
        };
        folder.ancestors().all(|ancestor| {
            std::fs::metadata(ancestor).is_ok_and(|found| {
                let passes = if found.uid() == uid.as_raw() {
                    0o100
                } else if found.gid() == gid.as_raw() {
                    0o010
                } else {
                    0o001
                };
                found.permissions().mode() & passes != 0
            })
        })
    }

    /// Whether `path` belongs to this account.
    pub fn owns(&self, path: &Path) -> bool {
        let uid = match self {
            Self::Own => Uid::effective(),
            Self::Other { uid, .. } => *uid,
        };
        std::fs::symlink_metadata(path).is_ok_and(|found| found.uid() == uid.as_raw())
    }
}
