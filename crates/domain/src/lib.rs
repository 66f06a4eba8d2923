//! The business of Tinko, pure: no I/O, no clock, no framework.
//!
//! Time, randomness and ids come in as arguments; the same inputs give the same
//! answer, so that a decision can be derived again years later.
//!
//! - [`classification`]: why a payment failed and what follows, from tables of codes;
//! - [`policy`]: an organization's retry policy, checked when it is read;
//! - [`limits`]: the rules of networks, rails and laws, which bind every policy,
//!   in dated editions ([`RulePack`]);
//! - [`schedule`]: the next step of a recovery, with its reason in words and what
//!   stood in the way ([`schedule::decide`]), kept with all that it was made from
//!   ([`schedule::DecisionRecord`]);
//! - [`experiment`]: which arm of a policy's experiment a transaction is in, or
//!   whether it is held out;
//! - [`consent`]: whether a payer may be written to, and what STOP means;
//! - [`payer`]: addresses that hide themselves, and the payer's time zone;
//! - [`token`]: what stands in a recovery link;
//! - [`rate`]: how much a caller may do in a while;
//! - [`partner`]: the webhooks that partners get, and when one is tried again;
//! - [`reconciliation`]: how what we know differs from what a PSP says;
//! - [`role`]: what a merchant's people may do;
//! - [`simulation`]: a policy played ahead over recoveries, and what it adds up to;
//! - [`state`]: the states of everything that moves, and the moves there are;
//! - [`analytics`]: windows of time, and what is reckoned from sums;
//! - [`id`], [`money`], [`transaction_ref`]: values that cannot be wrong.
//!
//! # Promises
//!
//! - Nothing here panics on input.
//! - A charge is never planned after a hard decline, against a rule of a network,
//!   a rail or a law, or past a recovery's end, and nothing at all in a recovery
//!   that is held out, whatever the policy says. Random recoveries are played
//!   through to show it.
//! - A decision is derived again from its record alone, under the edition of the
//!   rules that it was made by; an edition never changes.
//! - A transaction keeps its arm of an experiment for ever.
//! - A comparison with a PSP concludes from something *not* being there only when
//!   every look-up was answered.
//! - Secrets and payers' addresses print masked or not at all.
//!
//! # To teach it a new decline code
//!
//! Add its row, with meaning and source, to the table of its PSP or network in
//! `src/classification/`, and its name to the list in `classification/tests.rs`
//! when the source documents it. Planning, pages and messages follow from the row.

pub mod analytics;
pub mod classification;
pub mod consent;
pub mod experiment;
pub mod id;
pub mod limits;
pub mod money;
pub mod partner;
pub mod payer;
pub mod policy;
pub mod rate;
pub mod reconciliation;
pub mod role;
pub mod schedule;
pub mod simulation;
pub mod state;
pub mod token;
pub mod transaction_ref;
pub mod user_code;

pub use classification::{Category, Classification, Contact, FailureSource, Hardness, Signals};
pub use consent::{Bar, ConsentState, PayerAddress, SuppressionReason};
pub use id::Id;
pub use limits::{CardNetwork, RulePack};
pub use money::{Currency, Money};
pub use partner::{DeliveryCause, DeliveryState, SignatureKind};
pub use payer::{Country, EmailAddress, PhoneNumber};
pub use policy::{PolicyError, RetryPolicy};
pub use role::Role;
pub use schedule::{PastAttempt, Plan, Step};
pub use state::{
    AttemptKind, AttemptState, Channel, CheckoutState, ConnectionCheck, KeyMode, LinkState,
    NotificationState, Provider, RecoveryState,
};
pub use transaction_ref::TransactionRef;
pub use user_code::CodePurpose;
