//! Circuit breakers for the companies that Tinko depends on.
//!
//! While a PSP, a mail server or a message provider is down, asking it again and
//! again helps nobody: each request takes its whole time-out, and each failed one
//! has to be settled. A breaker notices and says so before the request is made, so
//! that the work waits where it is.
//!
//! - [`Breaker`]: when it opens, how long it stays open, whom it lets through to
//!   try. Pure: the time is an argument.
//! - [`Circuit`]: a breaker that its process shares, with its metrics and log lines.
//!
//! What counts as trouble is the caller's to say ([`Heard`]): only what tells of the
//! other side's health. A declined card or a refused recipient is an answer like any
//! other.
//!
//! Why each process has breakers of its own is told in
//! `docs/decisions/0040-breakers-pause-work.md`.

mod breaker;
mod shared;

pub use breaker::{Breaker, Closed, Heard, Limits, Pass, Position};
pub use shared::{Circuit, Passage, Scope};
