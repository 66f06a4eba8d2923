//! What is summed, and by what.

use std::str::FromStr;

/// What is summed. Each has a number and an amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// Recoveries that opened, and what they are owed. By their opening, as the
    /// next four are.
    Opened,
    /// Of them: whose payer was written to.
    Contacted,
    /// Of them: whose payer opened a link.
    Visited,
    /// Of them: won back, and what came in.
    Won,
    /// Of them: over without money.
    Ended,
    /// Payments that came in, and what they brought. By their time, as all that follows.
    Recovered,
    /// Charges that went through.
    ChargeSucceeded,
    /// Charges that were declined.
    ChargeDeclined,
    /// Messages that a provider took.
    Sent,
    /// Messages that arrived.
    Delivered,
    /// Messages that came back.
    Bounced,
    /// Messages that could not be sent.
    Failed,
    /// Messages of which nobody can say whether they were sent.
    Unconfirmed,
    /// Links that were opened, each at its first visit.
    Visits,
}

/// Text that names no measure.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a measure")]
pub struct UnknownMeasure(String);

impl Measure {
    /// Every one.
    pub const ALL: [Self; 14] = [
        Self::Opened,
        Self::Contacted,
        Self::Visited,
        Self::Won,
        Self::Ended,
        Self::Recovered,
        Self::ChargeSucceeded,
        Self::ChargeDeclined,
        Self::Sent,
        Self::Delivered,
        Self::Bounced,
        Self::Failed,
        Self::Unconfirmed,
        Self::Visits,
    ];

    /// Its word in Postgres.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Contacted => "contacted",
            Self::Visited => "visited",
            Self::Won => "won",
            Self::Ended => "ended",
            Self::Recovered => "recovered",
            Self::ChargeSucceeded => "charge_succeeded",
            Self::ChargeDeclined => "charge_declined",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Bounced => "bounced",
            Self::Failed => "failed",
            Self::Unconfirmed => "unconfirmed",
            Self::Visits => "visits",
        }
    }
}

impl FromStr for Measure {
    type Err = UnknownMeasure;

    fn from_str(text: &str) -> Result<Self, UnknownMeasure> {
        Self::ALL
            .into_iter()
            .find(|measure| measure.as_str() == text)
            .ok_or_else(|| UnknownMeasure(text.to_owned()))
    }
}

/// By what sums are kept apart, besides currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// By nothing more; every measure.
    All,
    /// By the category that the recovery opened with; measures by opening.
    Category,
    /// By the code that decided that category; measures by opening.
    Code,
    /// By experiment and arm; measures by opening.
    Arm,
    /// By the channel of the message or of the link; messages, visits, and
    /// payments through a link.
    Channel,
    /// By how the money came in; payments.
    Way,
    /// By how long it took, as a bucket of `domain::analytics::speed`; payments.
    Speed,
}

impl Dimension {
    /// Its word in Postgres.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Category => "category",
            Self::Code => "code",
            Self::Arm => "arm",
            Self::Channel => "channel",
            Self::Way => "way",
            Self::Speed => "speed",
        }
    }
}
