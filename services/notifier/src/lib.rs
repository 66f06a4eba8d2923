//! Everything that leaves towards people: email, SMS and WhatsApp, mails to
//! merchants' people, and the optional analytics sink.
//!
//! ```text
//! stream notifications:email    ──> desk ──> channels::email    ──> mail server
//! stream notifications:sms      ──> desk ──> channels::sms      ──> Twilio
//! stream notifications:whatsapp ──> desk ──> channels::whatsapp ──> WhatsApp Cloud API
//! stream mails:users            ──> user_desk ──> channels::email ──> mail server
//! stream events                 ──> events ─┬> roll-ups that analytics reads
//!                                          ├> partners ──> partners' endpoints
//!                                          └> sink ──> RabbitMQ (if there is one)
//! ```
//!
//! # What it promises
//!
//! - A message is never handed over twice unless the provider surely did not take
//!   it the first time: a hand-over is marked before its irrevocable step, and one
//!   whose end nobody saw is looked up, or held as `unconfirmed`.
//! - A message is not handed over once its recovery is over, its address is
//!   suppressed or its link has expired; the mark sees the recovery still open.
//! - A slow channel holds back itself alone: each stream has its own consumer.
//! - Link tokens and payers' addresses appear in no log line, trace, metric or
//!   event.
//! - An event is counted in the transaction that settles it: once. What partners and
//!   the analytics sink are owed of it is written there too, and sent at least once;
//!   whoever of them is away keeps nobody else waiting.
//!
//! # Where things are
//!
//! - `desk`: what happens to a requested message, with the diagram of its states.
//! - `user_desk`: what happens to a mail to one of a merchant's people.
//! - `ending`: what became of it, in one transaction.
//! - `channels`: the ways to hand over; `facts`: from a letter to its words, which
//!   the crate `wording` makes by the organization's template or Tinko's.
//! - `events`: what follows from an event; `sink`: the analytics sink; `measuring`:
//!   gauges of what waits.
//! - [`partners`]: webhooks to partners.
//! - [`settings`], and [`run`] and [`check`] for the main.
//!
//! # The commonest change: other words
//!
//! They are in the crate `wording`.

mod channels;
mod desk;
mod ending;
mod events;
mod facts;
mod holds;
mod measuring;
mod office;
pub mod partners;
pub mod settings;
mod sink;
mod start;
mod user_desk;

pub use settings::{Settings, SettingsConflict};
pub use start::{Notifier, check, run};
