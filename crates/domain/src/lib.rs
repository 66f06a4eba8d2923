//! The business of Tinko, pure: no I/O, no clock, no framework.
//!
//! Time, randomness and ids come in as arguments; the same inputs give the same
//! answer, so that a decision can be derived again years later.

pub mod classification;
pub mod id;
pub mod limits;
pub mod money;
pub mod payer;
pub mod policy;
pub mod schedule;
pub mod state;
pub mod token;
pub mod transaction_ref;

pub use classification::{Category, Classification, Contact, FailureSource, Hardness, Signals};
pub use id::Id;
pub use limits::CardNetwork;
pub use money::{Currency, Money};
pub use payer::{EmailAddress, PhoneNumber};
pub use policy::{PolicyError, RetryPolicy};
pub use schedule::{History, PastAttempt, Plan, Step};
pub use state::{
    AttemptKind, AttemptState, Channel, CheckoutState, LinkState, NotificationState, Provider,
    RecoveryState,
};
pub use transaction_ref::TransactionRef;
