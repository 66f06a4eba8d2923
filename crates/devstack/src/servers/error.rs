//! Why a server is not there.

use std::path::PathBuf;

use crate::os::SpawnError;

/// Why a private server did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The program is not on this machine.
    #[error(
        "the program {program} is neither in PATH nor in {}: install Debian's package {package} \
         (./scripts/install-packages does)", looked.display()
    )]
    Missing {
        /// The program.
        program: &'static str,
        /// A pattern of the folders that were looked through besides PATH.
        looked: PathBuf,
        /// What brings it.
        package: &'static str,
    },
    /// The program is one that a script of ours builds, and it has not.
    #[error("{program} is not at {}: build it first ({script})", looked.display())]
    NotBuilt {
        /// The program.
        program: &'static str,
        /// Where it was expected.
        looked: PathBuf,
        /// What builds it.
        script: &'static str,
    },
    /// Its folder cannot be made, or not be given to its account.
    #[error("the folder {} cannot be prepared", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// The folder stands where another account could have put it.
    #[error("the folder {} belongs to another account: remove it, or its link", path.display())]
    NotOurs {
        /// The folder.
        path: PathBuf,
    },
    /// `initdb` failed.
    #[error("initdb could not make the data folder {}:\n{said}", path.display())]
    Initdb {
        /// The data folder.
        path: PathBuf,
        /// What it wrote.
        said: String,
    },
    /// It did not come up.
    #[error(transparent)]
    Start(#[from] SpawnError),
}
