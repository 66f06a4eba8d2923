//! Where our own programs are.

use std::path::{Path, PathBuf};

/// Names the folder of the programs, if it is not the one of the running program.
const FOLDER_VARIABLE: &str = "TINKO_BIN_DIR";

/// The programs that make up Tinko, and the sandbox it is tried against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    /// REST, webhooks, the payer's page; also migrates and seeds.
    pub api: PathBuf,
    /// Plans and charges.
    pub retry_worker: PathBuf,
    /// Sends messages.
    pub notifier: PathBuf,
    /// Plays the providers.
    pub sandbox: PathBuf,
}

/// A program that was not built.
#[derive(Debug, thiserror::Error)]
#[error("{} is not there: build it first (cargo build --workspace)", path.display())]
pub struct BinariesError {
    /// Where it was expected.
    pub path: PathBuf,
}

impl Binaries {
    /// From the folder in `TINKO_BIN_DIR`, else from the build folder that the running program
    /// (a test in its `deps` too) lies in.
    pub fn find() -> Result<Self, BinariesError> {
        let named = std::env::var_os(FOLDER_VARIABLE).map(PathBuf::from);
        Self::in_folder(&named.unwrap_or_else(build_folder))
    }

    /// From a given folder.
    pub fn in_folder(folder: &Path) -> Result<Self, BinariesError> {
        let program = |name: &str| {
            let path = folder.join(name);
            if path.is_file() {
                Ok(path)
            } else {
                Err(BinariesError { path })
            }
        };
        Ok(Self {
            api: program("api")?,
            retry_worker: program("retry-worker")?,
            notifier: program("notifier")?,
            sandbox: program("sandbox")?,
        })
    }
}

/// The folder of the running program without Cargo's `deps` and `examples`.
fn build_folder() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let is_inner = |name: &std::ffi::OsStr| name == "deps" || name == "examples";
    let mut folder = program.parent().unwrap_or(Path::new("target/debug"));
    if folder.file_name().is_some_and(is_inner) {
        folder = folder.parent().unwrap_or(folder);
    }
    folder.to_owned()
}
