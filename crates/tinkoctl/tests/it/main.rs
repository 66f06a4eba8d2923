//! `tinkoctl`, as an operator runs it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod dead_letters;
mod follow;
mod pauses;
mod queues;
mod stage;
