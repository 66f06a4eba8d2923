//! The hours in which a law or a network of carriers lets a phone be written to.

use chrono::{DateTime, Datelike, NaiveTime, Utc, Weekday};
use chrono_tz::Tz;

use super::pack::RulePack;
use super::rule::{Binds, Days, Rule};
use super::rules;
use crate::payer::Country;
use crate::state::Channel;

/// Hours of one day on the payer's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    /// The first moment.
    pub from: NaiveTime,
    /// The end, not itself within.
    pub until: NaiveTime,
    /// The rule that sets them.
    pub rule: &'static Rule,
}

impl Hours {
    /// Whether a time on the payer's clock lies within.
    pub fn allow(&self, time: NaiveTime) -> bool {
        self.from <= time && time < self.until
    }
}

impl RulePack {
    /// The hours in which a channel may be used on the day that the payer's
    /// calendar shows at `at`; nothing when no rule of the country says any, so
    /// that the policy alone decides. A week-end may have other hours than the
    /// days before it: ask again for another day. Email has none anywhere.
    ///
    /// `country` is where the message arrives: that of the phone number, not of
    /// the card.
    pub fn message_hours(
        self,
        channel: Channel,
        country: Option<Country>,
        at: DateTime<Utc>,
        zone: Tz,
    ) -> Option<Hours> {
        if channel == Channel::Email {
            return None;
        }
        let country = country?;
        let weekday = at.with_timezone(&zone).weekday();
        rules::HOURS
            .iter()
            .filter(|rule| rule.known_to(self) && rule.holds(at))
            .find_map(|rule| match rule.binds {
                Binds::Messages {
                    countries,
                    days,
                    minutes: (from, until),
                } if countries.contains(&country.as_str()) && days.include(weekday) => {
                    Some(Hours {
                        from: minute_of_day(from),
                        until: minute_of_day(until),
                        rule,
                    })
                }
                _ => None,
            })
    }
}

impl Days {
    const fn include(self, day: Weekday) -> bool {
        let weekend = matches!(day, Weekday::Sat | Weekday::Sun);
        match self {
            Self::All => true,
            Self::MondayToFriday => !weekend,
            Self::Weekend => weekend,
        }
    }
}

fn minute_of_day(minute: u32) -> NaiveTime {
    NaiveTime::from_hms_opt(minute / 60, minute % 60, 0).unwrap_or_default()
}
