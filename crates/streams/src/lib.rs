//! The stream runtime: publish, read in groups, acknowledge late, take over, bury, drain.
//!
//! Postgres is the truth and Redis a hand-over that may be lost whole at any
//! moment. This crate makes the hand-over fast and at-least-once for as long as
//! Redis keeps what it was given; what Redis loses, the sweeper publishes again
//! from the outbox. It is the only crate that knows Redis.
//!
//! # Which keys there are, and who moves what, when
//!
//! | key | what | who |
//! |---|---|---|
//! | `{prefix}:{stream}` | a Redis stream, one entry an envelope, with one consumer group | [`Streams::publish`] adds; [`consume`] removes an entry once its effect has committed, or moves it to the next key |
//! | `{prefix}:{stream}:dead` | the entries that were given up, with their reasons | [`consume`] adds, the newest [`StreamsConfig::dead_letters_kept`] stay; [`Streams::replay`] moves one back, [`Streams::discard`] drops it |
//!
//! Split into shards, `{stream}` is followed by `:{n}` in braces, a hash tag, so
//! that in a Redis Cluster the two keys of a shard lie together and the shards
//! apart. A rate limit's bucket is a key of its own, `{prefix}:rate:…`, that is
//! gone once the bucket is full. No other key is made, and no key outlives its use: a stream that is
//! read holds what is unread or being worked on, nothing else.
//!
//! An entry's fields: `payload` (the bytes), and for people who look with
//! `redis-cli` also `id` (the outbox row), `org` and `traceparent`.
//!
//! # The life of an entry
//!
//! ```text
//! publish ─> unread ─> held ─┬─ Ok ────────────────> acknowledged and deleted, in one step
//!                       ^    ├─ Retry, or a panic ─> failed ─(back-off)─┐
//!                       │    ├─ Final, or too many deliveries ─> dead   │
//!                       │    └─ its process died ─(take_over_after)─────┤
//!                       └───────────────────────────────────────────────┘
//! ```
//!
//! One number rules redelivery: an entry that has been idle for
//! [`ConsumerConfig::take_over_after`] may be taken by any consumer. A process
//! that holds an entry keeps its idle time low (the heartbeat); one that failed
//! sets it so that it is due after the back-off; one that is shutting down makes
//! what it has not begun due at once. Redis counts the deliveries.
//!
//! # Promises
//!
//! - An entry leaves its stream only after [`Handler::handle`] or
//!   [`Handler::dead`] returned `Ok`. Copies happen (at least once): handlers
//!   are idempotent.
//! - A handler that runs long is not overtaken while its process lives and
//!   reaches Redis.
//! - An entry that keeps failing ends as a dead letter with its reason; one that
//!   kills its process does too, since the deliveries are counted in Redis.
//! - While [`Handler::dead`] fails (Postgres is away), nothing is given up.
//! - A Redis that is away, restarted, failed over or flushed never ends
//!   [`consume`]; it reconnects with back-off and makes the group again.
//! - Waiting costs nothing: reads block in Redis.
//!
//! # Recipe: consume a stream
//!
//! Implement [`Handler`] on a type that holds the pool, say at each error whether
//! it is [`Failure::Retry`] or [`Failure::Final`], and spawn [`consume`] with the
//! process's cancellation token. The trace's parent is
//! `delivery.envelope.traceparent`; the span is made by the handler.
//!
//! # Determinations
//!
//! - Take-over is `XPENDING … IDLE` followed by `XCLAIM`, not `XAUTOCLAIM`: the
//!   delivery count comes with it and a scan is not cut short at 10 × COUNT.
//! - `XACK` frees no memory, so `XDEL` goes with it in one `MULTI`; there is
//!   exactly one group a stream. (`XACKDEL` needs Redis 8.2.)
//! - Blocking reads have a connection of their own whose time-out exceeds BLOCK:
//!   the client's default would cut them off, and on a shared connection they
//!   would hold up everyone else.
//!
//! # Contents
//!
//! - [`config`]: settings · [`error`]: what can go wrong
//! - `connection`: the pool and the blocking connection · `keys`: names and entry ids
//! - `publish`: adding · [`position`]: how far a group is · `memory`: how full Redis is · [`dead_letters`]: list, replay, discard
//! - [`rates`]: buckets of rate limits, shared by replicas
//! - [`consumer`]: the consumer-group runtime · [`telemetry`]: the metrics

pub mod config;
mod connection;
pub mod consumer;
pub mod dead_letters;
mod entry;
pub mod error;
mod keys;
mod memory;
pub mod position;
mod publish;
pub mod rates;
pub mod telemetry;

pub use config::{ConsumerConfig, StreamsConfig};
pub use connection::Streams;
pub use consumer::{Delivery, Failure, Handler, consume};
pub use dead_letters::{DeadLetter, DeadLetterId};
pub use error::StreamsError;
pub use memory::Memory;
pub use position::Position;
pub use rates::Rates;
