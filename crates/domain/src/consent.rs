//! Whether a payer may be written to: consent, suppression, and what a payer's
//! own words say about either.
//!
//! ```text
//! no consent known ─┬─> granted <─> withdrawn     (by the merchant, who heard it from the payer)
//! suppressed        ─── by STOP, unsubscribing, a dead address; lifted by START
//!                       (STOP alone) or by an administrator
//! ```
//!
//! An address may be written to when nothing suppresses it, its consent is not
//! withdrawn, and, on channels that need an opt-in, its consent is granted.
//!
//! Which channels need one is the organization's to say. Until it does, WhatsApp
//! alone does: Meta lets a business write only to people who have opted in
//! (<https://business.whatsapp.com/policy>, section 1). A notice by email or SMS
//! about one's own failed payment is no advertisement, and is implied by the
//! contract that it is about (CAN-SPAM's "transactional or relationship message",
//! 15 U.S.C. 7702(17); GDPR, article 6(1)(b)).

mod address;
mod provider_codes;
mod reply;

pub use address::{InvalidAddress, PayerAddress};
pub use provider_codes::{mailbox_is_gone, twilio_suppression, whatsapp_suppression};
pub use reply::Reply;

use crate::state::{UnknownName, named};

named! {
    /// What a payer has said to being written to on a channel.
    ConsentState, "consent state" {
        /// The payer has opted in.
        Granted = "granted",
        /// The payer has taken it back.
        Withdrawn = "withdrawn",
    }
}

named! {
    /// Why an address must not be written to.
    SuppressionReason, "suppression reason" {
        /// The payer followed the way out of emails.
        Unsubscribed = "unsubscribed",
        /// The payer answered STOP, or told the provider to stop such messages.
        OptedOut = "opted_out",
        /// The mailbox does not exist.
        HardBounce = "hard_bounce",
        /// It is no number, or none that takes text messages.
        InvalidNumber = "invalid_number",
        /// The number is out of service, or a landline.
        UnreachableNumber = "unreachable_number",
        /// The number is not on WhatsApp, or cannot be reached there.
        NotOnWhatsApp = "not_on_whatsapp",
        /// The merchant wants it so.
        Manual = "manual",
    }
}

impl SuppressionReason {
    /// In words that follow "is not written to: ".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unsubscribed => "the payer has unsubscribed",
            Self::OptedOut => "the payer asked to stop",
            Self::HardBounce => "the mailbox does not exist",
            Self::InvalidNumber => "it is no number that takes text messages",
            Self::UnreachableNumber => "the number is out of service or a landline",
            Self::NotOnWhatsApp => "the number cannot be reached on WhatsApp",
            Self::Manual => "the merchant has suppressed it",
        }
    }
}

/// What keeps an address from being written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bar {
    /// It is suppressed.
    Suppressed(SuppressionReason),
    /// The payer's consent was withdrawn.
    Withdrawn,
    /// The channel needs an opt-in, and none is known.
    NoOptIn,
}

impl Bar {
    /// In words that follow "is not written to: ".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Suppressed(reason) => reason.words(),
            Self::Withdrawn => "the payer's consent was withdrawn",
            Self::NoOptIn => "the payer has not opted in",
        }
    }
}

impl std::str::FromStr for Bar {
    type Err = UnknownName;

    /// As Postgres says it: `suppressed:hard_bounce`, `withdrawn`, `no_opt_in`.
    fn from_str(text: &str) -> Result<Self, UnknownName> {
        match (text, text.strip_prefix("suppressed:")) {
            (_, Some(reason)) => reason.parse().map(Self::Suppressed),
            ("withdrawn", None) => Ok(Self::Withdrawn),
            ("no_opt_in", None) => Ok(Self::NoOptIn),
            _ => Err(UnknownName {
                kind: "bar to being written to",
                text: text.to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bar_reads_as_postgres_says_it() {
        for reason in SuppressionReason::ALL {
            let text = format!("suppressed:{reason}");
            assert_eq!(text.parse(), Ok(Bar::Suppressed(*reason)));
        }
        assert_eq!("withdrawn".parse(), Ok(Bar::Withdrawn));
        assert_eq!("no_opt_in".parse(), Ok(Bar::NoOptIn));
        assert!("suppressed:".parse::<Bar>().is_err() && "".parse::<Bar>().is_err());
    }
}
