//! Decides and acts on money.
//!
//! ```text
//! stream failures ──> plan ──> attempts (scheduled, due at …)
//!                      ^            │ claim, organizations in turn
//!                      │            v
//!                      └── settle ──┴── charge (PSP)  |  message (rows for the notifier)
//! ```
//!
//! - [`failures`]: a recorded failure is planned.
//! - [`plan`]: the next step of a recovery, by its policy; pure in `domain`, put
//!   into rows here.
//! - [`scheduler`]: claims what is due, and what is in doubt.
//! - [`places`]: how many attempts are under way, of an organization and at a provider.
//! - [`attempts`]: what a claimed attempt does, and what becomes of it.
//! - [`checkouts`]: closing at the PSP what is over here.
//! - [`recon`]: comparing recoveries with what the PSPs say, daily and on request.
//! - [`housekeeping`]: sweeping the outbox, closing what is over, partitions.
//!
//! Any number of replicas: each row is moved by one of them under a guard.

pub mod attempts;
pub mod checkouts;
pub mod failures;
pub mod housekeeping;
pub mod places;
pub mod plan;
pub mod recon;
pub mod scheduler;
pub mod settings;
mod start;
mod worker;

pub use start::{check, run};
pub use worker::Worker;
