//! Plays the companies that Tinko talks to, for development and tests only.
//!
//! One process stands in for Stripe, Razorpay, Twilio, the WhatsApp Cloud API and a mail server,
//! over the wire protocols of the real ones, so that Tinko's production client code runs against
//! it unchanged. Everything is held in memory and is gone when the process ends.
//!
//! # What it promises
//!
//! - An API call acts once or not at all, under one lock per provider, whatever the caller does
//!   with its connection: a client that hangs up does not leave half a charge.
//! - Stripe's `Idempotency-Key` is honoured on every POST as Stripe documents it.
//! - Every charge attempt of every provider is in one ledger that tests compare against.
//! - Webhooks are signed like the real ones and delivered at least once, with back-off.
//! - It can be told to misbehave: to be slow, to fail, to vanish after having acted, to repeat and
//!   reorder its webhooks ([`faults`], [`webhooks`]).
//!
//! # Where things are
//!
//! | path | what answers |
//! |---|---|
//! | `/stripe/v1/…` | [`stripe`]: payment intents, customers, payment methods, charges, checkout sessions |
//! | `/stripe/checkout/{id}` | the page where a payer pays or is declined |
//! | `/razorpay/v1/…` | [`razorpay`]: orders, payments, payment links |
//! | `/razorpay/pl/{id}` | the payment link's page |
//! | `/twilio/2010-04-01/…` | [`twilio`]: messages |
//! | `/whatsapp/v{NN}.0/{phone_number_id}/messages` | [`whatsapp`] |
//! | SMTP, its own port | [`smtp`]: every mail is accepted into the inbox |
//! | `/inbox`, `/inbox/messages`, `/inbox/wait` | [`inbox`]: what payers received, for people and for tests |
//! | `/_control/…` | [`control`]: accounts, webhook endpoints, merchants' failed payments, faults, ledger |
//! | `/healthz` | liveness |
//!
//! # Recipe: a new decline
//!
//! Add its code to the table in `stripe/declines.rs`; every place that scripts outcomes
//! (`/_control/stripe/payment_methods`, `/_control/stripe/fail_payment`) knows it from then on.

pub mod control;
pub mod faults;
pub mod inbox;
pub mod razorpay;
pub mod smtp;
pub mod stripe;
pub mod twilio;
pub mod webhooks;
pub mod whatsapp;

mod clock;
mod credentials;
mod ids;
mod ledger;
mod pages;
mod server;
mod shelf;
mod state;

pub use server::{Sandbox, Settings, StartError};
