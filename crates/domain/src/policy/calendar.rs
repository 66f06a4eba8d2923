//! Pay-days and week-ends, as a policy says them and as countries have them.

use chrono::{Datelike, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

use super::validate::{range, require};
use super::{PolicyDocument, PolicyError};
use crate::classification::Category;
use crate::payer::Country;

/// A day of every month: its number, or `last`. A number that a month has not
/// is that month's last day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "WrittenDay", into = "WrittenDay")]
pub struct MonthDay(u8);

/// Something that is not a day of every month.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a day of the month from 1 to 31, or \"last\"")]
pub struct InvalidMonthDay;

#[derive(Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a day of the month from 1 to 31, or \"last\""
)]
enum WrittenDay {
    Number(i64),
    Word(String),
}

impl MonthDay {
    /// The last day.
    pub const LAST: Self = Self(31);

    /// The day of a number.
    pub const fn new(day: u8) -> Result<Self, InvalidMonthDay> {
        match day {
            1..=31 => Ok(Self(day)),
            _ => Err(InvalidMonthDay),
        }
    }

    /// Whether it is this day.
    pub fn is(self, date: NaiveDate) -> bool {
        let day = date.day();
        let number = u32::from(self.0);
        day == number || (number > day && is_last(date))
    }
}

fn is_last(date: NaiveDate) -> bool {
    date.succ_opt().is_none_or(|next| next.day() == 1)
}

impl TryFrom<WrittenDay> for MonthDay {
    type Error = InvalidMonthDay;
    fn try_from(written: WrittenDay) -> Result<Self, Self::Error> {
        match written {
            WrittenDay::Number(day) => u8::try_from(day)
                .map_err(|_| InvalidMonthDay)
                .and_then(Self::new),
            WrittenDay::Word(word) if word == "last" => Ok(Self::LAST),
            WrittenDay::Word(_) => Err(InvalidMonthDay),
        }
    }
}
impl From<MonthDay> for WrittenDay {
    fn from(day: MonthDay) -> Self {
        match day {
            MonthDay::LAST => Self::Word("last".to_owned()),
            MonthDay(day) => Self::Number(i64::from(day)),
        }
    }
}

/// Days on which payers have money: a charge waits for the next one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PayDays {
    /// Whether charges wait for them.
    pub enabled: bool,
    /// The failures for which they do.
    pub categories: Vec<Category>,
    /// Days of the month. Left out with `weekdays`: as is usual in the payer's country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub month_days: Option<Vec<MonthDay>>,
    /// Days of the week.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weekdays: Option<Vec<Weekday>>,
    /// How many days a charge waits at most; with no pay-day in them it does not.
    pub within_days: u32,
}

impl Default for PayDays {
    fn default() -> Self {
        Self {
            enabled: false,
            categories: vec![Category::InsufficientFunds],
            month_days: None,
            weekdays: None,
            within_days: 7,
        }
    }
}

/// What is rather not done at week-ends.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Weekends {
    /// Charges wait for the next working day.
    pub avoid_charges: bool,
    /// Messages do, but for those to a payer who was just there.
    pub avoid_messages: bool,
    /// The days; those of the payer's country when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days: Option<Vec<Weekday>>,
}

/// When wages are usually paid in some countries; elsewhere [`USUAL`] holds.
/// From general knowledge of the laws named; a wrong row costs a charge some
/// days at most, and a policy says its own days.
const PAID: &[(&[&str], &[MonthDay], &[Weekday])] = &[
    // Code on Wages 2019, section 17: monthly wages before the seventh day.
    (&["IN"], &[MonthDay(1), MonthDay(7), MonthDay::LAST], &[]),
    // Monthly pay is the rule, at the end or some days before it.
    (
        &["GB", "IE"],
        &[MonthDay(25), MonthDay(28), MonthDay::LAST],
        &[Weekday::Fri],
    ),
    (
        &["DE", "AT", "CH", "FR", "IT", "NL", "BE"],
        &[MonthDay(1), MonthDay(15), MonthDay::LAST],
        &[],
    ),
    (
        &["SE", "DK", "NO", "FI", "JP", "KR"],
        &[MonthDay(25), MonthDay::LAST],
        &[],
    ),
    // CLT, article 459: until the fifth working day.
    (&["BR"], &[MonthDay(5), MonthDay(20)], &[]),
];

/// The first, the fifteenth, the last of a month, and Fridays: where wages are
/// paid by the week, by two weeks, twice a month or monthly, as in the US.
const USUAL: (&[MonthDay], &[Weekday]) = (
    &[MonthDay(1), MonthDay(15), MonthDay::LAST],
    &[Weekday::Fri],
);

/// Week-ends other than Saturday and Sunday (Unicode CLDR, supplemental data,
/// `weekData`; the Emirates since 2022 Saturday and Sunday, which is no row).
const WEEKENDS: &[(&[&str], &[Weekday])] = &[
    (
        &[
            "BH", "DZ", "EG", "IL", "IQ", "JO", "KW", "LY", "OM", "QA", "SA", "SD", "SY", "YE",
        ],
        &[Weekday::Fri, Weekday::Sat],
    ),
    (&["AF"], &[Weekday::Thu, Weekday::Fri]),
    (&["IR"], &[Weekday::Fri]),
    (&["IN", "UG"], &[Weekday::Sun]),
];

impl PayDays {
    /// Whether wages are paid on a day in a country.
    pub(crate) fn include(&self, country: Option<Country>, date: NaiveDate) -> bool {
        let (days, weekdays) = match (&self.month_days, &self.weekdays) {
            (None, None) => usual(country),
            (days, weekdays) => (
                days.as_deref().unwrap_or_default(),
                weekdays.as_deref().unwrap_or_default(),
            ),
        };
        weekdays.contains(&date.weekday()) || days.iter().any(|day| day.is(date))
    }
}

fn usual(country: Option<Country>) -> (&'static [MonthDay], &'static [Weekday]) {
    country
        .and_then(|country| {
            PAID.iter()
                .find(|(countries, ..)| countries.contains(&country.as_str()))
        })
        .map_or(USUAL, |(_, days, weekdays)| (days, weekdays))
}

impl Weekends {
    /// Whether a day belongs to the week-end in a country.
    pub(crate) fn include(&self, country: Option<Country>, date: NaiveDate) -> bool {
        let days = self.days.as_deref().unwrap_or_else(|| {
            country
                .and_then(|country| {
                    WEEKENDS
                        .iter()
                        .find(|(countries, _)| countries.contains(&country.as_str()))
                })
                .map_or(&[Weekday::Sat, Weekday::Sun], |(_, days)| *days)
        });
        days.contains(&date.weekday())
    }
}

pub(super) fn check(document: &PolicyDocument) -> Result<(), PolicyError> {
    let pay_days = &document.pay_days;
    distinct("pay_days.categories", &pay_days.categories)?;
    distinct(
        "pay_days.month_days",
        pay_days.month_days.as_deref().unwrap_or_default(),
    )?;
    distinct(
        "pay_days.weekdays",
        pay_days.weekdays.as_deref().unwrap_or_default(),
    )?;
    range("pay_days.within_days", pay_days.within_days, 1, 31)?;
    let said = pay_days.month_days.is_some() || pay_days.weekdays.is_some();
    let some = [
        pay_days
            .month_days
            .as_ref()
            .is_some_and(|days| !days.is_empty()),
        pay_days
            .weekdays
            .as_ref()
            .is_some_and(|days| !days.is_empty()),
    ];
    require(!said || some.contains(&true), "pay_days", || {
        "must name a day in month_days or weekdays, or leave both out".to_owned()
    })?;
    let weekend = document.weekends.days.as_deref().unwrap_or_default();
    distinct("weekends.days", weekend)?;
    require(weekend.len() < 7, "weekends.days", || {
        "must leave a working day".to_owned()
    })
}

pub(super) fn distinct<T: PartialEq>(field: &str, values: &[T]) -> Result<(), PolicyError> {
    let twice = values
        .iter()
        .enumerate()
        .find(|(index, value)| values.iter().take(*index).any(|earlier| earlier == *value));
    require(twice.is_none(), field, || "names one twice".to_owned())
}
