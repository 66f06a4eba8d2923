//! A rule: one row of a table.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use super::case::ChargeCase;
use super::pack::RulePack;
use super::{CardNetwork, Rail};
use crate::payer::Country;

/// Where a rule was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Source {
    /// The document or page, with the clause where it has one.
    pub title: &'static str,
    /// Its address; empty when it has none that is public.
    pub url: &'static str,
    /// The month in which it was read, `YYYY-MM`.
    pub read: &'static str,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { title, url, read } = self;
        match *url {
            "" => write!(f, "{title} (read {read})"),
            _ => write!(f, "{title}, {url} (read {read})"),
        }
    }
}

/// One rule of a network, a rail or a law.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Its name in decisions and answers, for ever: `visa-reattempts`. Within
    /// one edition and day there is one rule of a name.
    pub id: &'static str,
    /// What it says, in words that a merchant understands; a part of a sentence.
    pub words: &'static str,
    /// Where it was read.
    pub source: Source,
    /// The day from which it holds, from 00:00 UTC.
    pub since: NaiveDate,
    /// The day from which it no longer holds, if it is known to end.
    pub until: Option<NaiveDate>,
    /// The first edition that knows the row.
    pub(super) known_from: RulePack,
    /// The edition that replaced the row, from which on it is not seen.
    pub(super) known_until: Option<RulePack>,
    /// What it binds, and how.
    pub(super) binds: Binds,
}

/// What a rule binds, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binds {
    /// At most so many tries on one card within a rolling window.
    Tries {
        networks: &'static [CardNetwork],
        counts: Counts,
        window_hours: i64,
        most: u32,
    },
    /// After one of these codes: no charge again, or none for some days.
    AfterCode {
        networks: &'static [CardNetwork],
        signal: Signal,
        codes: &'static [&'static str],
        pause_days: Option<i64>,
    },
    /// At most so many charges of one recovery.
    Charges { mandates: Mandates, most: u32 },
    /// A notice to the payer so many hours ahead.
    Notice { mandates: Mandates, hours: i64 },
    /// Never without the payer above an amount (in minor units, of one currency).
    Amount {
        mandates: Mandates,
        currency: &'static str,
        most_minor: i64,
    },
    /// Only within these minutes of a day, on a clock that is never changed.
    Clock {
        mandates: Mandates,
        utc_offset_minutes: i64,
        /// In order; each from its first minute to its end, which is not within.
        open: &'static [(i64, i64)],
    },
    /// Messages to phones, only within these minutes of the payer's day.
    Messages {
        countries: &'static [&'static str],
        days: Days,
        minutes: (u32, u32),
    },
}

/// Which tries a window counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counts {
    /// Tries of one card and amount after one that was not approved, within the
    /// window's length: the first charge is no reattempt.
    ReattemptsOfAmount,
    /// Every try of the card that was not approved, whatever its amount.
    Declines,
}

/// Which code of the latest decline is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    Decline,
    Advice,
}

/// Debits under a mandate, without the payer, on some rails of a country.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mandates {
    pub(super) country: &'static str,
    /// What tells the country where it is not known.
    pub(super) currency: &'static str,
    pub(super) rails: &'static [Rail],
}

/// Days of a week, as the payer's calendar shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Days {
    All,
    MondayToFriday,
    Weekend,
}

impl Mandates {
    fn include(self, case: &ChargeCase<'_>) -> bool {
        let rail = case.rail();
        if !self.rails.contains(&rail) || !(case.recurring || rail == Rail::UpiAutopay) {
            return false;
        }
        let country = match rail {
            // These rails are India's alone.
            Rail::UpiAutopay | Rail::Emandate => Some("IN"),
            _ => case.country.map(Country::as_str),
        };
        country.map_or_else(
            || case.amount.currency().code() == self.currency,
            |country| country == self.country,
        )
    }
}

impl Rule {
    /// Whether an edition knows the row.
    pub(super) fn known_to(&self, pack: RulePack) -> bool {
        self.known_from <= pack && self.known_until.is_none_or(|until| pack < until)
    }

    /// Whether it binds a charge at all, on whatever day.
    pub(super) fn binds(&self, case: &ChargeCase<'_>) -> bool {
        match self.binds {
            Binds::Tries { networks, .. } | Binds::AfterCode { networks, .. } => {
                matches!(case.rail, Rail::Card | Rail::Unknown)
                    && case
                        .network
                        .is_none_or(|network| networks.contains(&network))
            }
            Binds::Charges { mandates, .. }
            | Binds::Notice { mandates, .. }
            | Binds::Amount { mandates, .. }
            | Binds::Clock { mandates, .. } => mandates.include(case),
            Binds::Messages { .. } => false,
        }
    }

    /// When it begins to hold.
    pub(super) fn starts(&self) -> DateTime<Utc> {
        self.since.and_time(NaiveTime::MIN).and_utc()
    }

    /// When it no longer holds.
    pub(super) fn ends(&self) -> Option<DateTime<Utc>> {
        self.until.map(|day| day.and_time(NaiveTime::MIN).and_utc())
    }

    /// Whether it holds at `at`.
    pub(super) fn holds(&self, at: DateTime<Utc>) -> bool {
        self.starts() <= at && self.ends().is_none_or(|end| at < end)
    }
}

/// A day that is known to exist.
pub(super) const fn date(year: i32, month: u32, day: u32) -> NaiveDate {
    match NaiveDate::from_ymd_opt(year, month, day) {
        Some(date) => date,
        None => NaiveDate::MIN,
    }
}

/// For rules that held before anything that Tinko can be asked about.
pub(super) const BEGINNING: NaiveDate = date(2000, 1, 1);
