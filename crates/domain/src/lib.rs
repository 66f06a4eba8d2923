//! The business of Tinko, pure: no I/O, no clock, no framework.
//!
//! Time, randomness and ids come in as arguments; the same inputs give the same
//! answer, so that a decision can be derived again years later.

pub mod id;
pub mod money;
pub mod state;

pub use id::Id;
pub use money::{Currency, Money};
pub use state::{
    AttemptKind, AttemptState, Channel, CheckoutState, LinkState, NotificationState, Provider,
    RecoveryState,
};
