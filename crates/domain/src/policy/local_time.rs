//! A time of day on a payer's clock.

use std::fmt;

use chrono::NaiveTime;
use serde::{Deserialize, Serialize};

/// A time of day to the minute, written `HH:MM`, from `00:00` to `23:59`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LocalTime(NaiveTime);

/// Text that is not a time of day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a time of day of the form HH:MM, such as 08:00")]
pub struct InvalidLocalTime;

impl LocalTime {
    /// The full hour `hour`; hours past 23 count from midnight again.
    pub(crate) fn full_hour(hour: u32) -> Self {
        Self(NaiveTime::from_hms_opt(hour % 24, 0, 0).unwrap_or_default())
    }

    /// Reads `HH:MM`.
    pub fn parse(text: &str) -> Result<Self, InvalidLocalTime> {
        if text.len() != 5 {
            return Err(InvalidLocalTime);
        }
        NaiveTime::parse_from_str(text, "%H:%M")
            .map(Self)
            .map_err(|_| InvalidLocalTime)
    }

    /// The time on a clock.
    pub const fn time(self) -> NaiveTime {
        self.0
    }
}

impl TryFrom<String> for LocalTime {
    type Error = InvalidLocalTime;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}
impl From<LocalTime> for String {
    fn from(time: LocalTime) -> Self {
        time.to_string()
    }
}
impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%H:%M"))
    }
}
