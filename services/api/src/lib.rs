//! Records facts, and shows the payer the way to pay.
//!
//! ```text
//! PSP webhook ──verify──┐
//! POST …/payment_failed ┼─> ingest ──one transaction──> transaction, failure event,
//! payer's checkout ─────┘                               recovery, timeline, outbox
//! GET /v1/… ───────────────> what is known, of the caller's organization only
//! GET /pay/{token} ────────> the hosted page ──> the PSP's checkout
//! ```
//!
//! What it promises:
//!
//! - A 2xx answer to a report means that it is committed.
//! - The same webhook, or request under one `Idempotency-Key`, has one effect.
//! - Bad input is answered with a problem (RFC 9457) that names the fault, and
//!   changes nothing.
//! - No query runs for an organization that the caller has not proved to be.
//!
//! Where things are:
//!
//! - [`app`]: the routes, in one visible list, and what handlers work with;
//! - `routes`: one verb a file, each a short story: parse, authorize, one call, answer;
//! - [`ingest`]: what a failure, a payment, a dispute does to a recovery;
//! - [`checkout`]: the payer's way to the PSP's page and back;
//! - `receipts`: what becomes of messages, and payers' replies;
//! - [`auth`]: who calls, and what they may do;
//! - [`conduct`]: what holds for every request: spans, metrics, ids, headers, limits;
//! - [`live`]: recoveries as they move, for those who follow the stream;
//! - [`openapi`]: the document of every route;
//! - [`problem`]: every error body;
//! - [`vault`]: opening the PSPs' secrets;
//! - [`commands`]: `api migrate`, `api seed`, `api openapi`.
//!
//! # To add a route
//!
//! Write its file under `routes/`, add it to [`app::routes`], and take one of
//! [`auth`]'s access types as an argument: without its tenant there is no query.
//! Say what it answers as [`openapi`] tells.

pub mod app;
pub mod auth;
pub mod checkout;
pub mod commands;
pub mod conduct;
#[doc(hidden)]
pub mod fuzzed;
pub mod ingest;
pub mod live;
pub mod openapi;
pub mod problem;
mod receipts;
mod routes;
pub mod settings;
mod start;
pub mod vault;

pub use start::{Server, check, run};

/// This service, as telemetry and the timeline name it.
pub const SERVICE: &str = "api";
