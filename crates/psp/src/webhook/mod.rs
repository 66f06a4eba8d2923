//! Webhooks of PSPs: whether one is genuine, and what it says. Pure.
//!
//! The order of use: [`account_hint`] to choose the connection (unverified,
//! so it chooses a secret and nothing else), [`verify_stripe`] or
//! [`verify_razorpay`] over the raw bytes, then [`parse`].
//!
//! PSPs send an event more than once and out of order, so the receiver keeps
//! [`Incoming::event_id`] unique. One failure may also come as several
//! events (Stripe: `payment_intent.payment_failed`, `charge.failed`,
//! `invoice.payment_failed`); [`FailedPayment::charge`] tells that they are one.

mod fact;
mod json;
mod notes;
mod razorpay;
mod signature;
mod stripe;

use domain::Provider;
use serde::Deserialize;

pub use fact::{
    CancelledPayment, Disputed, Fact, FailedPayment, Incoming, PartPayment, Payer,
    PaymentSucceeded, PspRetries, Refunded, UnsettledPayment,
};
pub use json::ParseError;
pub use signature::{SignatureError, verify_razorpay, verify_stripe};

use self::json::Node;

/// Stripe's tolerance for the age of a signature (its libraries' default), in seconds.
pub const STRIPE_TOLERANCE_SECONDS: i64 = 300;

/// The PSP account that the body says it is about: Stripe's `account`, which
/// only Connect platforms get, Razorpay's `account_id`. It is **unverified**.
pub fn account_hint(provider: Provider, body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Hints {
        account: Option<String>,
        account_id: Option<String>,
    }
    let hints: Hints = serde_json::from_slice(body).ok()?;
    match provider {
        Provider::Stripe => hints.account,
        Provider::Razorpay => hints.account_id,
    }
}

/// Reads a genuine webhook. `event_id_header` is Razorpay's
/// `X-Razorpay-Event-Id`; Stripe names the event in the body.
///
/// An event of no interest is [`Fact::Ignored`]; one of interest that cannot
/// be right (no amount, an amount below one, an unknown currency) is an error
/// that names the JSON field.
pub fn parse(
    provider: Provider,
    event_id_header: Option<&str>,
    body: &[u8],
) -> Result<Incoming, ParseError> {
    let value: serde_json::Value = serde_json::from_slice(body)
        .map_err(|error| ParseError::new("body", format!("is not JSON: {error}")))?;
    let root = Node::root(&value);
    match provider {
        Provider::Stripe => stripe::parse(&root),
        Provider::Razorpay => razorpay::parse(&root, event_id_header),
    }
}
