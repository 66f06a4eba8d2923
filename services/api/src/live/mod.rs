//! Recoveries as they move: what `GET /v1/stream` sends.
//!
//! The truth is the timeline in Postgres, in the order that `db::feed` gives it. One
//! task a process reads on for all organizations that anybody listens to, in one
//! statement, and hands each entry to that organization's listeners ([`Hub`]). A
//! listener (`listener`) that comes with a place, or falls behind, reads on from
//! there by itself until it has caught up. So where it left off, in which process it
//! was, and what committed meanwhile in whatever order makes no difference.
//!
//! Everything is bounded: listeners of a process and of an organization, what waits
//! for one (a client that takes nothing for a while is cut off, and may come back
//! with its place), and for how long one is served, since what it has shown may
//! have been revoked.

mod hub;
pub(crate) mod listener;

pub use hub::Hub;
pub(crate) use hub::{Full, Seat};

/// Most entries that are read at once for one organization.
const PAGE: i64 = 200;

/// [`PAGE`] as the length that a full page has.
const FULL_PAGE: usize = 200;
