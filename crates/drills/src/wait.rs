//! Waiting for what nothing announces.

use std::time::Duration;

use anyhow::bail;
use tokio::time::{Instant, sleep};

const POLL: Duration = Duration::from_millis(100);

/// What a look found.
pub enum Look<T> {
    /// What was waited for.
    Found(T),
    /// Not yet; the sentence says what is missing.
    NotYet(String),
}

impl<T> Look<T> {
    /// What was found, or else what is missing.
    pub fn of(found: Option<T>, missing: impl FnOnce() -> String) -> Self {
        found.map_or_else(|| Self::NotYet(missing()), Self::Found)
    }
}

/// Looks again and again until it is found. After `patience` what is missing is the error.
pub async fn until<T>(
    patience: Duration,
    mut look: impl AsyncFnMut() -> anyhow::Result<Look<T>>,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + patience;
    loop {
        match look().await? {
            Look::Found(found) => return Ok(found),
            Look::NotYet(missing) if Instant::now() > deadline => bail!(missing),
            Look::NotYet(_) => sleep(POLL).await,
        }
    }
}
