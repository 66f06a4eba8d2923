//! All of Tinko's SQL.
//!
//! # What it promises
//!
//! - A change and the events that it causes commit together: [`Tx::emit`] and
//!   [`Tx::commit`] are the only way for an event to come into being.
//! - No query on an organization's data can be written without a [`Tenant`],
//!   and a `Tenant` is only made where the organization is known for certain.
//! - State moves by guarded updates that mirror `domain::state`; each answers
//!   whether it was the one that moved.
//! - Nothing that lives in a session: all of it works through a pooler in
//!   transaction mode.
//!
//! # To add a query
//!
//! 1. Find the module of the row that it is about, or add one.
//! 2. Write the SQL laid out, columns by name, with `sql("…")`; bind in order.
//! 3. Take `&mut Conn` if it stands alone, `&mut Tx` if it only makes sense with
//!    other changes; take a [`Tenant`] and use it.

pub mod about;
pub mod api_keys;
pub mod attempts;
pub mod audit;
pub mod card_tries;
pub mod checkouts;
mod connect;
pub mod connections;
pub mod consents;
pub mod contacts;
pub mod dead_letters;
pub mod decisions;
pub mod ending;
mod error;
pub mod events;
pub mod exports;
pub mod facts;
pub mod failures;
pub mod feed;
pub mod holds;
mod id_range;
pub mod idempotency;
pub mod links;
pub mod login_tries;
pub mod lookup;
mod migrate;
pub mod notifications;
pub mod organizations;
pub mod outbox;
pub mod paid;
pub mod partners;
pub mod pausing;
pub mod plan;
pub mod policies;
mod pool;
pub mod pooler;
pub mod psp_events;
pub mod reach;
pub mod receipts;
pub mod received;
pub mod recon;
pub mod recoveries;
pub mod registrations;
pub mod replies;
pub mod retention;
pub mod rollups;
pub mod sessions;
pub mod sink;
mod sql;
pub mod statistics;
pub mod suppressions;
pub mod templates;
pub mod timeline;
pub mod transactions;
pub mod underway;
pub mod unknown_codes;
pub mod user_codes;
pub mod users;

pub use error::DbError;
pub use migrate::{
    MIGRATIONS, ensure_partitions, migrate, missing_partitions, prune_partitions, schema_trouble,
};
pub use pool::{AfterCommit, Cause, Conn, Db, DbConfig, LeaveToSweeper, Tenant, Trace, Tx};
