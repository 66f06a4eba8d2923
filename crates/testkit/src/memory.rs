//! How much memory a process holds, and whether that grows.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use devstack::os::resident_kib;
use tokio::task::JoinHandle;

/// Between two looks.
const EVERY: Duration = Duration::from_millis(100);
/// What a process may grow by in a short time for reasons of its own: its allocator's
/// arenas, its threads' stacks, caches that fill once.
const SPARE_KIB: u64 = 48 * 1024;

/// Looks at a process's resident memory until it is dropped.
#[derive(Debug)]
pub struct Memory {
    samples: Arc<Mutex<Vec<u64>>>,
    looking: JoinHandle<()>,
}

impl Memory {
    /// Of the process with this id. Needs `/proc`.
    pub fn of(process: u32) -> Self {
        let samples: Arc<Mutex<Vec<u64>>> = Arc::default();
        let kept = Arc::clone(&samples);
        let looking = tokio::spawn(async move {
            let mut every = tokio::time::interval(EVERY);
            while let Some(kib) = resident_kib(process) {
                kept.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(kib);
                every.tick().await;
            }
        });
        Self { samples, looking }
    }

    /// Fails if the most that it held in the last third of the time is more than a
    /// third above that of the first, and some.
    pub fn assert_flat(&self) {
        let samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        let third = samples.len() / 3;
        assert!(third >= 10, "too short to tell: {samples:?}");
        let most = |of: &[u64]| of.iter().copied().max().unwrap_or_default();
        let (first, last) = (most(&samples[..third]), most(&samples[2 * third..]));
        let bound = first + first / 3 + SPARE_KIB;
        assert!(
            last <= bound,
            "from {first} KiB it grew to {last} KiB: {samples:?}"
        );
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.looking.abort();
    }
}
