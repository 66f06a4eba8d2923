//! The notifier's promises, against a real Postgres and Redis, with the sandbox
//! as mail server, Twilio and WhatsApp, and a real RabbitMQ.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod email;
mod events;
mod fair_shares;
mod harness;
mod held;
mod partners;
mod phone;
mod process;
mod provider_down;
mod receiver;
mod sink;
mod templates;
mod users;
mod withdrawn;
