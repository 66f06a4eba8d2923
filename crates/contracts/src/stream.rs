//! Which streams there are.

use std::fmt;
use std::str::FromStr;

use domain::Channel;

/// One logical stream. Where it lies in Redis (prefix, shards) is the business of `streams`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Failures that want a plan: api → retry-worker.
    Failures,
    /// Messages that want to be handed over, apart by channel so that a slow
    /// channel holds back only itself: retry-worker → notifier.
    Notifications(Channel),
    /// Mails to merchants' people that want to be handed over: api → notifier. Apart
    /// from those to payers, so that a code which lives for minutes does not wait
    /// behind a campaign, and so that a notifier which knows of no such mails
    /// leaves them to one that does.
    UserMails,
    /// What partners and analytics hear of: everyone → notifier.
    Events,
}

/// Text that names no stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a stream; there are failures, notifications:email, notifications:sms, \
     notifications:whatsapp, mails:users and events"
)]
pub struct UnknownStream {
    text: String,
}

impl Stream {
    /// Every stream.
    pub const ALL: [Self; 6] = [
        Self::Failures,
        Self::Notifications(Channel::Email),
        Self::Notifications(Channel::Sms),
        Self::Notifications(Channel::WhatsApp),
        Self::UserMails,
        Self::Events,
    ];

    /// Its name in keys, logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failures => "failures",
            Self::Notifications(Channel::Email) => "notifications:email",
            Self::Notifications(Channel::Sms) => "notifications:sms",
            Self::Notifications(Channel::WhatsApp) => "notifications:whatsapp",
            Self::UserMails => "mails:users",
            Self::Events => "events",
        }
    }

    /// The stream of that name.
    pub fn parse(text: &str) -> Result<Self, UnknownStream> {
        Self::ALL
            .into_iter()
            .find(|stream| stream.as_str() == text)
            .ok_or_else(|| UnknownStream {
                text: text.to_owned(),
            })
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Stream {
    type Err = UnknownStream;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stream_is_found_by_its_name() {
        for stream in Stream::ALL {
            assert_eq!(Stream::parse(stream.as_str()), Ok(stream));
        }
        for channel in Channel::ALL {
            assert!(Stream::ALL.contains(&Stream::Notifications(*channel)));
        }
    }

    #[test]
    fn another_name_is_refused_with_the_ones_there_are() {
        let error = Stream::parse("notifications:fax").unwrap_err().to_string();
        for stream in Stream::ALL {
            assert!(error.contains(stream.as_str()), "{error}");
        }
    }
}
