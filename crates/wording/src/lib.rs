//! What payers read: an organization's own words, or Tinko's; and what merchants'
//! people are mailed.
//!
//! ```text
//! Facts (who owes what to whom, why it failed, the link)
//!   │ looked for: own::languages × own::kinds          (db finds the first there is)
//!   ├──> an organization's template (own::Content) ──> rendered in the sandbox
//!   │         └─(a fault: noted, never the end of the message)─┐
//!   └──> Tinko's template of the payer's language, else English <┘
//! ```
//!
//! # What it promises
//!
//! - A template, whoever wrote it, reads no file and no network, ends within a
//!   fixed amount of work, and writes no more than a message may hold.
//! - What is put into HTML is escaped, and a subject is one line, whatever the
//!   template or the payer's data say.
//! - Under the neutral contact rule no reason is handed to any template.
//! - Nothing here does I/O; the same facts make the same words.
//!
//! # The commonest change: other words
//!
//! Edit the template in `templates/{language}/` and accept the new snapshot
//! (`cargo insta review`). What a template can be filled with is in [`VARIABLES`].
//!
//! To add a language: a folder beside `templates/en` with the same files, a
//! variant of [`BuiltIn`], its lines in `built_in.rs`, and its words in
//! `phrases.rs` and `dates.rs`.

mod amount;
mod built_in;
mod dates;
mod facts;
mod grammar;
mod markup;
mod names;
pub mod own;
mod phrases;
mod sandbox;
mod sms;
#[cfg(test)]
mod tests;
mod users;
mod variables;
mod written;

pub use built_in::BuiltIn;
pub use facts::{Facts, Link};
pub use names::one_line;
pub use sandbox::TemplateFault;
pub use sms::{Encoding, Segments};
pub use users::UserFacts;
pub use variables::{FILTERS, Named, VARIABLES};
pub use written::{
    EmailWords, SmsWords, Stored, Used, WhatsAppWords, Wording, WordingError, Written,
};
