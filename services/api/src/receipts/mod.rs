//! What comes back of messages: receipts, bounces, and payers' replies.
//!
//! ```text
//! Twilio  ──status callback──┐                     ┌─> the message's row, if that is news
//! WhatsApp ──status──────────┼──verify──> take ────┼─> the timeline, and an event
//! mail gateway ──DSN─────────┘                     └─> a suppression, if the address is dead
//! Twilio, WhatsApp ──reply──────verify──> obey ──────> STOP suppresses, START lifts that
//! ```
//!
//! - [`twilio`], [`whatsapp`]: what each sends and how it is signed;
//! - [`bounce`]: delivery-status notifications of mail (RFC 3464);
//! - [`take`]: a receipt's one effect; [`obey`]: a reply's.
//!
//! Ids that nobody here knows are answered as known ones are.

pub(crate) mod bounce;
pub(crate) mod obey;
pub(crate) mod secrets;
pub(crate) mod take;
pub(crate) mod twilio;
pub(crate) mod whatsapp;
