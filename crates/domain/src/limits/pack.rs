//! Editions of the rules.

use chrono::TimeDelta;

use super::rule::Rule;
use super::rules;

/// An edition of the rules: what was known on a day. Decisions keep its name,
/// and can be derived again under it when later editions know better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RulePack {
    number: u8,
}

/// The editions' names, the oldest first: the day on which each was made.
const IDS: &[&str] = &["2026-11-24", "2026-11-25"];

/// How far back tries have to be known for every rule to count right: twice
/// the longest window, since what is a reattempt depends on the try before it.
pub const LOOK_BACK: TimeDelta = TimeDelta::days(60);

impl RulePack {
    /// The networks' windows and Visa's category 1: all that was kept before
    /// rules had dates and decisions were recorded.
    pub(super) const NETWORK_WINDOWS: Self = Self { number: 0 };
    /// Mastercard's advice, India's mandates and UPI `AutoPay`, and the hours for messages.
    pub(super) const RAILS_AND_HOURS: Self = Self { number: 1 };

    const ALL: &'static [Self] = &[Self::NETWORK_WINDOWS, Self::RAILS_AND_HOURS];

    /// The newest edition.
    pub const fn current() -> Self {
        Self::RAILS_AND_HOURS
    }

    /// Every edition, the oldest first.
    pub const fn all() -> &'static [Self] {
        Self::ALL
    }

    /// The edition of a name that [`Self::id`] gave.
    pub fn named(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|pack| pack.id() == id)
    }

    /// Its name: the day on which it was made, `2026-11-25`.
    pub fn id(self) -> &'static str {
        IDS.get(usize::from(self.number)).copied().unwrap_or("")
    }

    /// Every rule that the edition knows, in effect or not.
    pub fn rules(self) -> impl Iterator<Item = &'static Rule> {
        rules::TABLES
            .iter()
            .flat_map(|table| table.iter())
            .filter(move |rule| rule.known_to(self))
    }

    /// The rule of a name in this edition that is in effect last.
    pub fn rule(self, id: &str) -> Option<&'static Rule> {
        self.rules()
            .filter(|rule| rule.id == id)
            .max_by_key(|rule| rule.since)
    }
}
