//! The whole of Tinko as processes: what is promised when some of them are
//! killed.
//!
//! Slow: each starts servers and services of its own. `./scripts/test --all`.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod demo;
mod kill;
mod people;
mod pooler;
mod sink;

use devstack::servers::Durability;
use devstack::{Binaries, Stack, StackOptions, demo as played};
use tempfile::TempDir;

/// A stack of one test's own, in a hurry and without fsync.
pub(crate) struct Whole {
    pub(crate) stack: Stack,
    // Removed after the stack has let go of it.
    _folder: TempDir,
}

impl Whole {
    pub(crate) async fn start(change: impl FnOnce(StackOptions) -> StackOptions) -> Self {
        // An error means that a provider is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let binaries = Binaries::find().expect("built binaries: cargo build --workspace");
        let mut options = StackOptions::new(folder.path().join("stack"), binaries);
        options.durability = Durability::Fast;
        options.policy = played::policy();
        let stack = Stack::start(change(options))
            .await
            .expect("a running stack");
        Self {
            stack,
            _folder: folder,
        }
    }
}
