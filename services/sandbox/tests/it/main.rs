//! The sandbox as its users meet it: over HTTP, SMTP and the webhooks that it sends.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod bills;
mod binary;
mod checkout;
mod faults;
mod harness;
mod mail;
mod messaging;
mod razorpay;
mod receiver;
mod stripe;
mod webhooks;
