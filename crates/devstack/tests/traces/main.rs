//! What is traced of a recovery by the three services as processes, and that the work goes on
//! whatever becomes of the collector.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod at_once;
mod collector;
mod exemplars;
mod one_recovery;
mod stage;
mod story;
