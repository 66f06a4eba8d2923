//! Plays real cases through the whole of Tinko and sees that each ends as it must.
//!
//! Nothing here is a mock: the sandbox plays the PSPs and the inboxes over their
//! own protocols, the payer is an HTTP client that reads its mail and clicks,
//! and the three services run as they would anywhere. Only the policy is in a
//! hurry: its delays are a second or so.

mod cases;
mod patient;
mod payer;
mod report;
mod watch;

use std::time::Duration;

use serde_json::{Value, json};

use crate::Stack;
use crate::stack::SandboxError;

pub use report::{CaseReport, Report};

/// Why the demo could not be played.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The sandbox.
    #[error("the sandbox did not do as it was told")]
    Sandbox(#[from] SandboxError),
    /// The api or a page.
    #[error("{what} could not be asked")]
    Http {
        /// What was asked.
        what: String,
        /// Why not.
        source: reqwest::Error,
    },
    /// An answer that is not what it should be.
    #[error("{0}")]
    Answer(String),
}

/// The demo's policy: delays of a second, two silent charges, email and
/// WhatsApp, and a payer who has ten seconds.
pub fn policy() -> Value {
    json!({
        "name": "Demo",
        "max_retries": 2,
        "initial_delay_seconds": 1,
        "backoff_multiplier": 1,
        "max_delay_seconds": 1,
        "jitter_percent": 0,
        "silent_charges": 2,
        "enabled_channels": ["email", "whatsapp"],
        "stop_after_seconds": 60,
        "link_ttl_seconds": 10,
        "quiet_hours": { "enabled": false },
    })
}

/// How long each case may take to end.
pub const PATIENCE: Duration = Duration::from_secs(45);

/// The cases, ready to be played. It holds what it needs of the stack, so that
/// the stack's processes can be killed meanwhile.
pub struct Demo {
    stage: watch::Stage,
}

impl Demo {
    /// For `stack`; `run` tells one run's payers from another's on the same data.
    pub fn new(stack: &Stack, run: &str) -> Self {
        Self {
            stage: watch::Stage::new(stack, run),
        }
    }

    /// Plays every case at once; each has a payer of its own.
    pub async fn play(self) -> Report {
        let cases = tokio::join!(
            cases::short_of_funds(&self.stage),
            cases::expired_card(&self.stage),
            cases::hard_decline(&self.stage),
            cases::upi_failure(&self.stage),
            cases::delivered_three_times(&self.stage),
        );
        Report {
            cases: vec![cases.0, cases.1, cases.2, cases.3, cases.4],
        }
    }
}
