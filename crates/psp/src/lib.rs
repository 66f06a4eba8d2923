//! Talking to payment service providers: Stripe and Razorpay.
//!
//! What it is for: charging a saved means of payment, opening and closing
//! hosted checkouts, asking where a payment stands, and reading webhooks. It
//! knows nothing of Tinko's database, queues or services.
//!
//! What it promises:
//!
//! - A charge carries its attempt's id as the idempotency key, and is repeated
//!   only under that key, so one attempt charges at most once.
//! - An outcome nobody can know is said to be unknown ([`PspError::is_unclear`]),
//!   and one where surely nothing happened is told apart ([`PspError::NotSent`]).
//! - One operation ends within three times [`HttpSettings::total_timeout`],
//!   retries and look-ups included.
//! - An account is asked at a pace below its PSP's limits, and rests when the PSP
//!   asks for it ([`RateLimits`]).
//! - Credentials don't print; spans and metrics hold no payer data.
//! - [`webhook`] is pure: no clock, no I/O, no panic on any bytes.
//!
//! Recipe, the commonest change: a new kind of webhook event is read by adding
//! its name to the `match` in `webhook/stripe/mod.rs` or
//! `webhook/razorpay.rs`, a
//! variant to [`webhook::Fact`] when none fits, and a body with its snapshot
//! to `tests/it/bodies`.
//!
//! The process must have installed a `rustls` provider before
//! [`Http::new`] is called.

mod account;
mod backoff;
mod charge;
mod checkout;
mod company;
mod credentials;
mod endpoints;
mod error;
mod http;
mod means;
mod metadata;
mod pace;
mod payment;
mod provider;
mod razorpay;
mod signals;
mod stripe;
pub mod webhook;

pub use charge::{ChargeOutcome, ChargeRequest, Decline, Sighting};
pub use checkout::{CheckoutRequest, CheckoutStatus, Closing, HostedCheckout};
pub use credentials::{Credentials, RazorpayCredentials, StripeCredentials};
pub use endpoints::Endpoints;
pub use error::PspError;
pub use http::{Http, HttpError, HttpSettings};
pub use means::TriedMeans;
pub use pace::RateLimits;
pub use payment::{FoundCharge, PaymentMethodKind, PaymentRef, PaymentStatus, SavedMeans};
pub use provider::{Psp, can_charge};
pub use razorpay::Razorpay;
pub use signals::FailureSignals;
pub use stripe::{STRIPE_VERSION, Stripe};
