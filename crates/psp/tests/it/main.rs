//! The clients against a scripted HTTP server, and webhooks against real shapes.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod breakers;
mod pace;
mod razorpay;
mod refunds;
mod retries;
mod server;
mod setup;
mod sighting;
mod stripe_charge;
mod stripe_checkout;
mod stripe_status;
mod webhook_parse;
mod webhook_signature;
