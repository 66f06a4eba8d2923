//! Partner webhooks: which events there are, who wants which, and when a delivery
//! is tried again.
//!
//! ```text
//! delivery   pending ─> sending ─┬─> delivered  (answered 2xx)
//!               │  ^        │    └─> failed     (gone, or the last try of the schedule)
//!               │  └────────┘ (refused for now, or the process died: tried again)
//!               └─> cancelled   (its endpoint was disabled or deleted)
//!
//! endpoint   healthy ─> failing ─> paused ─> probed ─┬─> healthy
//!                                    ^               │
//!                                    └───────────────┘
//!            and disabled: by its owner, by 410 Gone, or after five days of failing.
//! ```
//!
//! - [`EventType`], [`EventFilter`]: what is told, and who wants to hear it;
//! - [`DeliveryState`], [`verdict`]: what becomes of a delivery by its answer;
//! - [`Health`]: the circuit breaker of one endpoint.
//!
//! Figures are those of Standard Webhooks 1.0.0 (standardwebhooks.com,
//! "Deliverability and reliability") where it has any.

mod delivery;
mod event_type;
mod filter;
mod health;

pub use delivery::{
    Answer, DeliveryCause, DeliveryState, LONGEST_RETRY_AFTER, RETRY_DELAYS, Verdict, verdict,
};
pub use event_type::{EventType, SignatureKind};
pub use filter::{EventFilter, FilterError, MOST_PATTERNS};
pub use health::{DISABLED_AFTER, Health, MOST_FAILURES, Setback};
