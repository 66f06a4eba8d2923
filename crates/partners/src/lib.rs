//! Partner webhooks: what they say, how they are signed, and where they may go.
//!
//! # What it promises
//!
//! - Headers and signatures are those of Standard Webhooks 1.0.0: its published
//!   test vectors pass, and `scripts/check-signatures` has its Python package
//!   verify ours and the other way round.
//! - A payload holds what its type's struct names and nothing else: what an event
//!   carries inside Tinko does not leak by being added there.
//! - No address that only Tinko's network can reach is connected to, whatever a
//!   name resolves to and whenever: [`Guard`] judges the addresses that the
//!   connection is then made to.
//! - Signing keys do not print.
//!
//! # To tell partners of something more
//!
//! Add its name to `domain::partner::EventType`, a struct of its particulars to
//! `payload::particulars`, and a line to the list in `payload`. Fields may be added
//! to a struct; for anything else its version goes up.
//!
//! - [`signature`]: keys, signing, verifying;
//! - [`address`], [`guard`]: where webhooks may go;
//! - [`payload`]: what they say.

pub mod address;
pub mod guard;
pub mod payload;
pub mod signature;

pub use guard::{EndpointUrl, Guard, Refusal};
pub use signature::{KeyFault, SigningKey};
