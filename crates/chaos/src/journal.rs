//! What the driver saw and did, a JSON line each, in a file that outlives the driver.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use chrono::Utc;
use serde::Serialize;
use serde_json::json;

use crate::faults::Step;

/// What happened.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Happening {
    /// A report was answered with success: from now on it must not be lost.
    Accepted {
        /// The organization's slug.
        organization: String,
        /// The merchant's reference.
        reference: String,
        /// The story that it belongs to.
        story: &'static str,
        /// By which door it came.
        door: Door,
    },
    /// The same request was sent again after its success, and answered otherwise than before.
    AnsweredOtherwise {
        /// The merchant's reference.
        reference: String,
        /// Both answers.
        answers: String,
    },
    /// The merchant's cancellation was answered with success.
    Cancelled {
        /// The merchant's reference.
        reference: String,
    },
    /// The payer was told by the PSP's page that the payment arrived.
    Paid {
        /// The merchant's reference.
        reference: String,
    },
    /// The payer's STOP was given to the provider.
    Stopped {
        /// The payer's number.
        phone: String,
    },
    /// A request was given up.
    GivenUp {
        /// Which.
        what: String,
        /// The last answer or error.
        why: String,
    },
    /// The sandbox did not play the failed payment, so there is nothing to judge.
    NotBegun {
        /// The merchant's reference.
        reference: String,
        /// What the sandbox said.
        why: String,
    },
    /// A fault began.
    Fault {
        /// Which.
        what: String,
        /// The steps that it may hold up.
        holds_up: Vec<Step>,
        /// For how long after it is undone what met it may still be held up, in milliseconds.
        outlasts_ms: i64,
    },
    /// A fault was undone.
    Undone {
        /// Which.
        what: String,
    },
    /// A replica was replaced.
    Replaced {
        /// Which.
        replica: String,
        /// From SIGTERM to its end, in milliseconds.
        ended_after_ms: u64,
        /// Whether it ended by itself, in time and with 0.
        in_order: bool,
    },
    /// A request failed where none may.
    Failed {
        /// Which.
        what: String,
        /// The answer or error.
        why: String,
    },
    /// A fault could not be made or undone.
    FaultFailed {
        /// Which.
        what: String,
        /// Why.
        why: String,
    },
}

/// How a report reaches the api.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// Stripe's webhook.
    Stripe,
    /// Razorpay's webhook.
    Razorpay,
    /// A report of its own.
    Report,
    /// An item of a batch.
    Batch,
}

/// An entry: what, and when.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Milliseconds since 1970.
    pub at: i64,
    /// What happened.
    pub happening: Happening,
}

/// The journal.
pub struct Journal {
    path: PathBuf,
    book: Mutex<(File, Vec<Entry>)>,
}

impl Journal {
    /// A new one in `folder`.
    pub fn begin(folder: &Path) -> std::io::Result<Self> {
        let path = folder.join("journal.jsonl");
        let file = File::create(&path)?;
        Ok(Self {
            path,
            book: Mutex::new((file, Vec::new())),
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes an entry, and hands it to the operating system at once.
    pub fn write(&self, happening: Happening) {
        let at = now();
        let mut line = json!(happening);
        line["at"] = json!(at);
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = writeln!(book.0, "{line}") {
            eprintln!("chaos: the journal cannot be written: {error}");
        }
        book.1.push(Entry { at, happening });
    }

    /// All entries, oldest first.
    pub fn entries(&self) -> Vec<Entry> {
        let book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        book.1.clone()
    }
}

/// Milliseconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "a driver of tests is the outermost edge"
)]
fn now() -> i64 {
    Utc::now().timestamp_millis()
}
