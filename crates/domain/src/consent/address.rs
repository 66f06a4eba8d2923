//! An address together with the channel that reaches it.

use std::fmt;

use crate::payer::{EmailAddress, InvalidEmail, InvalidPhone, PhoneNumber};
use crate::state::Channel;

/// A payer's address on a channel. Printing shows it masked.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum PayerAddress {
    /// A mailbox.
    Email(EmailAddress),
    /// A number for text messages.
    Sms(PhoneNumber),
    /// A number on WhatsApp.
    WhatsApp(PhoneNumber),
}

/// Text that is no address on the channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAddress {
    /// Of email.
    #[error(transparent)]
    Email(#[from] InvalidEmail),
    /// Of SMS and WhatsApp.
    #[error(transparent)]
    Phone(#[from] InvalidPhone),
}

impl PayerAddress {
    /// Reads an address of `channel`.
    pub fn parse(channel: Channel, text: &str) -> Result<Self, InvalidAddress> {
        Ok(match channel {
            Channel::Email => Self::Email(EmailAddress::parse(text)?),
            Channel::Sms => Self::Sms(PhoneNumber::parse(text)?),
            Channel::WhatsApp => Self::WhatsApp(PhoneNumber::parse(text)?),
        })
    }

    /// By which way.
    pub const fn channel(&self) -> Channel {
        match self {
            Self::Email(_) => Channel::Email,
            Self::Sms(_) => Channel::Sms,
            Self::WhatsApp(_) => Channel::WhatsApp,
        }
    }

    /// The address itself, to hand a message over.
    pub fn expose(&self) -> &str {
        match self {
            Self::Email(address) => address.expose(),
            Self::Sms(number) | Self::WhatsApp(number) => number.expose(),
        }
    }

    /// What consents and suppressions are kept under. The case of a mailbox
    /// does not matter there: no provider of note tells `Asha@` from `asha@`,
    /// and a payer who said stop must not be met by another spelling.
    pub fn key(&self) -> String {
        self.expose().to_lowercase()
    }

    /// Enough for a merchant to recognize the payer by.
    pub fn masked(&self) -> String {
        match self {
            Self::Email(address) => address.masked(),
            Self::Sms(number) | Self::WhatsApp(number) => number.masked(),
        }
    }
}

impl fmt::Debug for PayerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.channel(), self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_is_read_by_its_channel_and_prints_masked() {
        let email = PayerAddress::parse(Channel::Email, "Asha@Example.com").unwrap();
        assert_eq!(email.expose(), "Asha@example.com");
        assert_eq!(email.key(), "asha@example.com");
        assert_eq!(format!("{email:?}"), "email A***@example.com");
        let number = PayerAddress::parse(Channel::WhatsApp, "+91 98123 41234").unwrap();
        assert_eq!(number.key(), "+919812341234");
        assert!(PayerAddress::parse(Channel::Sms, "asha@example.com").is_err());
        assert!(PayerAddress::parse(Channel::Email, "+919812341234").is_err());
    }
}
