//! What a service stands on: Postgres and the streams, and what joins them.
//!
//! `db` and `streams` do not know each other. Here the rule that Tinko's
//! guarantees rest on is put together from both:
//!
//! - [`relay`]: what commits is published right after, in batches, and marked.
//! - `lanes`: how many messages of one organization may lie in Redis ahead of others'.
//! - [`sweep`]: what was committed and not published, or was published and lost,
//!   is published again.
//! - `publishing`: each event leaves in a span of its cause's trace, and carries it on.
//! - [`work`]: a consumed entry runs in a span that continues the trace in which it was
//!   published, and a dead letter is recorded in its outbox row.
//! - [`gather`]: what comes while something else is being committed is committed together.
//! - [`dead_letters`]: as operators are shown them.
//! - [`Backbone`]: settings, connections, readiness, the cause of a change.
//! - [`CircuitSettings`]: when an outsider that is not well is left alone.
//! - [`Percent`]: what one organization or provider may hold of a process's places.
//! - [`GuardSettings`]: where partner webhooks may go, in every service that asks.
//!
//! # To add a consumer
//!
//! Write a type that implements `streams::Handler`; in `handle`, run inside
//! [`work::span`], settle the outbox row in the transaction of the effect
//! (`db::outbox::settle`), and in `dead` call [`work::bury`].

mod circuit_settings;
mod connect;
pub mod dead_letters;
pub mod gather;
mod lanes;
mod partner_settings;
mod percent;
mod publishing;
mod readiness;
pub mod relay;
pub mod settings;
pub mod sweep;
pub mod work;

pub use circuit_settings::{CIRCUIT_SETTINGS, CircuitSettings};
pub use connect::{Backbone, BackboneError, RelayTask, postgres, streams};
pub use partner_settings::{GuardSettings, LoopbackInProduction, PARTNER_SETTINGS};
pub use percent::{NoPercent, Percent};
pub use settings::{BackboneSettings, SETTINGS};

/// The group that reads a stream: one a stream, named for the service.
pub const fn group_of(stream: contracts::Stream) -> &'static str {
    match stream {
        contracts::Stream::Failures => "retry-worker",
        contracts::Stream::Notifications(_)
        | contracts::Stream::UserMails
        | contracts::Stream::Events => "notifier",
    }
}
