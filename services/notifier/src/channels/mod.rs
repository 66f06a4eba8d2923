//! The ways to reach a payer, each behind [`Courier`].
//!
//! - [`email`]: SMTP, in two phases, so that only the last one is irrevocable;
//! - [`sms`]: Twilio, whose list of messages is asked where a hand-over is unclear;
//! - [`whatsapp`]: the WhatsApp Cloud API.
//!
//! To add a channel: a type that implements [`Courier`], its words in the crate `wording`,
//! and its consumer in `start.rs`.

pub(crate) mod email;
mod mail_content;
mod mail_server;
mod mail_sessions;
mod provider;
pub(crate) mod sms;
pub(crate) mod whatsapp;

use chrono::{DateTime, Utc};
use circuit::{Closed, Heard};
use db::notifications::Letter;
use domain::SuppressionReason;
use streams::Failure;
use wording::{Facts, Link, Stored, Used, WordingError};

pub(crate) use mail_server::MailServer;
pub(crate) use mail_sessions::MailSessions;
pub(crate) use provider::client;

/// Why a message was surely not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Trying again can help: nobody answered, or the answer asks for patience,
    /// or it is the operator who has something to mend.
    ForNow {
        /// Why, in words, without the payer's address.
        why: String,
        /// What that tells of the provider: whether others would fare better.
        heard: Heard,
    },
    /// Trying again cannot help.
    ForGood {
        /// Why, in words, without the payer's address.
        why: String,
        /// Set where the address itself must not be written to any more: the
        /// reason under which it is suppressed.
        suppress: Option<SuppressionReason>,
    },
}

impl Refusal {
    /// The provider is not well: other messages would fare no better.
    pub(crate) fn trouble(why: impl Into<String>) -> Self {
        Self::ForNow {
            why: why.into(),
            heard: Heard::Trouble,
        }
    }

    /// What it tells of the provider's health. A message that is refused for what it
    /// is was answered like any other.
    pub(crate) const fn heard(&self) -> Heard {
        match self {
            Self::ForNow { heard, .. } => *heard,
            Self::ForGood { .. } => Heard::Well,
        }
    }

    pub(crate) fn for_good(why: impl Into<String>) -> Self {
        Self::ForGood {
            why: why.into(),
            suppress: None,
        }
    }
}

/// What came of a hand-over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The provider took it, under this id if it gave one that reads.
    Accepted(Option<String>),
    /// The provider did not take it.
    Refused(Refusal),
    /// The provider did not take it, since it knows no such template as the message
    /// names, or not with these parameters.
    TemplateRefused(String),
    /// Nobody can say: no answer came, or one that says neither.
    Unclear(String),
}

impl Outcome {
    /// What it tells of the provider's health.
    pub(crate) const fn heard(&self) -> Heard {
        match self {
            Self::Accepted(_) | Self::TemplateRefused(_) => Heard::Well,
            Self::Refused(refusal) => refusal.heard(),
            Self::Unclear(_) => Heard::Trouble,
        }
    }
}

/// What a provider says when asked for a message whose hand-over is unclear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LookUp {
    /// It has it, under this id.
    Found(String),
    /// It does not show it. A message under way may not show yet: this is no
    /// proof that it was not sent.
    NotFound,
    /// It cannot be asked.
    Impossible,
    /// It did not answer; it can be asked again.
    Failed(String),
}

/// Hands messages over on one channel.
pub(crate) trait Courier: Send + Sync + 'static {
    /// A message in words, addressed.
    type Message: Send;
    /// A message that needs only the irrevocable step.
    type Ready: Send;

    /// Whom it is handed over to, as rows, metrics and traces name it.
    const PROVIDER: &'static str;
    /// Whom it is handed over to, as a merchant calls it.
    const RECEIVER: &'static str;

    /// Writes the message, by the organization's own template where it does.
    fn write(
        &self,
        letter: &Letter,
        facts: &Facts,
        own: Stored,
        now: DateTime<Utc>,
    ) -> Result<(Self::Message, Used), Unwritable>;

    /// Does all that can still be undone.
    fn prepare(
        &self,
        message: Self::Message,
    ) -> impl Future<Output = Result<Self::Ready, Refusal>> + Send;

    /// Undoes it: the message must not go out after all.
    fn undo(&self, ready: Self::Ready) -> impl Future<Output = ()> + Send;

    /// Does what cannot be undone. The hand-over is marked before this is called.
    fn hand_over(&self, ready: Self::Ready) -> impl Future<Output = Outcome> + Send;

    /// Asks the provider for a message whose hand-over is unclear.
    fn look_up(&self, letter: &Letter, link: &Link) -> impl Future<Output = LookUp> + Send;
}

/// Why a message could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unwritable {
    /// A fault of this release: a later one may do better.
    #[error(transparent)]
    Wording(#[from] WordingError),
    /// The stored address, or what the merchant gave, does not make a message.
    #[error("{0}")]
    Content(String),
}

/// Nothing of a message was begun, since its provider is left alone.
pub(crate) fn not_now(closed: Closed) -> Failure {
    Failure::NotNow {
        why: closed.to_string(),
        pause: closed.pause,
    }
}

/// An outcome as metrics name it.
pub(crate) const fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted(_) => "ok",
        Outcome::Refused(Refusal::ForNow { .. }) => "refused_for_now",
        Outcome::Refused(Refusal::ForGood { .. }) => "refused",
        Outcome::TemplateRefused(_) => "template_refused",
        Outcome::Unclear(_) => "unclear",
    }
}

/// A provider's sentence, fit to be stored and shown: short, on one line, and
/// without whatever looks like an address or a number of the payer's.
pub(crate) fn without_addresses(text: &str) -> String {
    let line = wording::one_line(text, 400);
    let words = line.split(' ').map(|word| {
        let digits = word.chars().filter(char::is_ascii_digit).count();
        if word.contains('@') || digits >= 7 {
            "***"
        } else {
            word
        }
    });
    let masked = words.collect::<Vec<_>>().join(" ");
    masked.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_providers_sentence_is_kept_without_the_payers_address() {
        assert_eq!(
            without_addresses("550 5.1.1 <payer@example.com>: no\r\nsuch user"),
            "550 5.1.1 *** no such user"
        );
        assert_eq!(
            without_addresses("Invalid 'To' Phone Number: +14155550100"),
            "Invalid 'To' Phone Number: ***"
        );
    }
}
