//! The stretch of time that is asked about.
//!
//! Sums are kept by UTC quarter-hours, hours and days, and by longer stretches, each
//! four or six of the one before. Every time zone in use is a whole number of
//! quarter-hours from UTC (+05:30, +05:45, +12:45), so local days are made of whole
//! buckets: shorter ones up to the first longer one, and shorter ones again. So a
//! window of a year has few more buckets than one of a month.

use chrono::{DateTime, Days, DurationRound, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;

/// How long a bucket is. Each begins at a multiple of its length since 1970, which
/// Postgres is told too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Span {
    /// 15 minutes.
    Quarter,
    /// An hour.
    Hour,
    /// Four hours.
    FourHours,
    /// A UTC day.
    Day,
    /// Four UTC days.
    FourDays,
    /// Sixteen UTC days.
    SixteenDays,
    /// Sixty-four UTC days.
    SixtyFourDays,
}

impl Span {
    /// From the longest to the shortest.
    pub const ALL: [Self; 7] = [
        Self::SixtyFourDays,
        Self::SixteenDays,
        Self::FourDays,
        Self::Day,
        Self::FourHours,
        Self::Hour,
        Self::Quarter,
    ];

    /// Its length in minutes.
    pub const fn minutes(self) -> i32 {
        match self {
            Self::Quarter => 15,
            Self::Hour => 60,
            Self::FourHours => 240,
            Self::Day => 1_440,
            Self::FourDays => 4 * 1_440,
            Self::SixteenDays => 16 * 1_440,
            Self::SixtyFourDays => 64 * 1_440,
        }
    }

    fn length(self) -> TimeDelta {
        TimeDelta::minutes(self.minutes().into())
    }
}

/// Buckets of one length that follow each other: from, and to without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// How long each is.
    pub span: Span,
    /// Where the first begins.
    pub from: DateTime<Utc>,
    /// Where the last ends.
    pub to: DateTime<Utc>,
}

/// A stretch of time of whole quarter-hours, and the zone whose days it is told in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    zone: Tz,
}

/// A stretch of time that ends before it begins, or is longer than is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// It ends where it begins, or before.
    #[error("must be before the end of the window")]
    Backwards,
    /// It is too long.
    #[error("must be at most {} days before the end of the window", Window::LONGEST.num_days())]
    TooLong,
}

impl Window {
    /// The longest.
    pub const LONGEST: TimeDelta = TimeDelta::days(1_098);
    /// The days of one that is not asked for otherwise, today included.
    pub const USUAL_DAYS: u64 = 30;

    /// From and to, the latter without it, widened to whole quarter-hours.
    pub fn new(from: DateTime<Utc>, to: DateTime<Utc>, zone: Tz) -> Result<Self, WindowError> {
        let (from, to) = (floor(from, Span::Quarter), ceil(to, Span::Quarter));
        if from >= to {
            return Err(WindowError::Backwards);
        }
        if to - from > Self::LONGEST {
            return Err(WindowError::TooLong);
        }
        Ok(Self { from, to, zone })
    }

    /// Where it begins.
    pub const fn from(&self) -> DateTime<Utc> {
        self.from
    }

    /// Where it ends, without it.
    pub const fn to(&self) -> DateTime<Utc> {
        self.to
    }

    /// The zone whose days it is told in.
    pub const fn zone(&self) -> Tz {
        self.zone
    }

    /// The buckets that it is made of, of the longest that fit: thirteen pieces at most.
    pub fn pieces(&self) -> Vec<Piece> {
        let mut before = Vec::new();
        let mut after = Vec::new();
        let (mut from, mut to) = (self.from, self.to);
        for span in Span::ALL.into_iter().rev() {
            let next = Span::ALL.into_iter().rev().find(|longer| *longer > span);
            let (inner_from, inner_to) = match next {
                Some(longer) => (ceil(from, longer), floor(to, longer)),
                None => (to, to),
            };
            if inner_from >= inner_to {
                before.push(Piece { span, from, to });
                break;
            }
            before.push(Piece {
                span,
                from,
                to: inner_from,
            });
            after.push(Piece {
                span,
                from: inner_to,
                to,
            });
            (from, to) = (inner_from, inner_to);
        }
        after.reverse();
        before.extend(after);
        before.retain(|piece| piece.from < piece.to);
        before
    }
}

/// When that day begins in that zone. A midnight that the clocks skip is the first
/// moment after it; of one that comes twice it is the first.
pub fn day_begins(day: NaiveDate, zone: Tz) -> Option<DateTime<Utc>> {
    let midnight = day.and_time(NaiveTime::MIN);
    // No zone in use skips more than a day (Samoa, 2011, skipped one).
    (0..=96).find_map(|quarters| {
        let local = midnight.checked_add_signed(TimeDelta::minutes(15 * quarters))?;
        let found = local.and_local_timezone(zone).earliest()?;
        Some(found.with_timezone(&Utc))
    })
}

/// The days before and with `today`, as many as are usual.
pub fn usual_first_day(today: NaiveDate) -> NaiveDate {
    today
        .checked_sub_days(Days::new(Window::USUAL_DAYS.saturating_sub(1)))
        .unwrap_or(today)
}

fn floor(at: DateTime<Utc>, span: Span) -> DateTime<Utc> {
    // Fails only centuries away.
    at.duration_trunc(span.length()).unwrap_or(at)
}

fn ceil(at: DateTime<Utc>, span: Span) -> DateTime<Utc> {
    let floor = floor(at, span);
    if floor == at {
        at
    } else {
        floor.checked_add_signed(span.length()).unwrap_or(at)
    }
}

#[cfg(test)]
mod tests {
    use chrono::{Offset, TimeZone};
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn shown(window: &Window) -> Vec<String> {
        let line = |piece: &Piece| {
            format!(
                "{:?} {} {}",
                piece.span,
                piece.from.format("%d %H:%M"),
                piece.to.format("%d %H:%M")
            )
        };
        window.pieces().iter().map(line).collect()
    }

    #[test]
    fn local_days_of_nepal_are_quarters_hours_and_utc_days() {
        let zone = Tz::Asia__Kathmandu;
        let from = day_begins(NaiveDate::from_ymd_opt(2026, 3, 2).unwrap(), zone).unwrap();
        let to = day_begins(NaiveDate::from_ymd_opt(2026, 3, 5).unwrap(), zone).unwrap();
        assert_eq!(
            shown(&Window::new(from, to, zone).unwrap()),
            [
                "Quarter 01 18:15 01 19:00",
                "Hour 01 19:00 01 20:00",
                "FourHours 01 20:00 02 00:00",
                "Day 02 00:00 04 00:00",
                "FourHours 04 00:00 04 16:00",
                "Hour 04 16:00 04 18:00",
                "Quarter 04 18:00 04 18:15",
            ]
        );
    }

    #[test]
    fn a_year_of_utc_days_is_few_buckets() {
        let window = Window::new(
            at("2025-04-01T00:00:00Z"),
            at("2026-04-01T00:00:00Z"),
            Tz::UTC,
        );
        assert_eq!(
            shown(&window.unwrap()),
            [
                "Day 01 00:00 02 00:00",
                "FourDays 02 00:00 14 00:00",
                "SixteenDays 14 00:00 16 00:00",
                "SixtyFourDays 16 00:00 01 00:00",
            ]
        );
    }

    #[test]
    fn a_window_is_widened_to_quarter_hours() {
        let window = Window::new(
            at("2026-03-01T10:07:11Z"),
            at("2026-03-01T10:31:00Z"),
            Tz::UTC,
        )
        .unwrap();
        assert_eq!(window.from(), at("2026-03-01T10:00:00Z"));
        assert_eq!(window.to(), at("2026-03-01T10:45:00Z"));
    }

    #[test]
    fn days_on_which_the_clocks_change_have_23_and_25_hours() {
        let berlin = Tz::Europe__Berlin;
        let day = |month, day| {
            day_begins(NaiveDate::from_ymd_opt(2026, month, day).unwrap(), berlin).unwrap()
        };
        assert_eq!(day(3, 30) - day(3, 29), TimeDelta::hours(23));
        assert_eq!(day(10, 26) - day(10, 25), TimeDelta::hours(25));
    }

    #[test]
    fn a_day_whose_midnight_is_skipped_begins_after_the_gap() {
        // Chile's clocks go from 24:00 to 01:00.
        let begins = day_begins(
            NaiveDate::from_ymd_opt(2026, 9, 6).unwrap(),
            Tz::America__Santiago,
        );
        assert_eq!(begins.unwrap(), at("2026-09-06T04:00:00Z"));
    }

    #[test]
    fn a_window_that_ends_before_it_begins_or_is_endless_is_refused() {
        let (from, to) = (at("2026-03-02T00:00:00Z"), at("2026-03-01T00:00:00Z"));
        assert_eq!(Window::new(from, to, Tz::UTC), Err(WindowError::Backwards));
        let late = at("2036-03-02T00:00:00Z");
        assert_eq!(Window::new(from, late, Tz::UTC), Err(WindowError::TooLong));
    }

    #[test]
    fn every_zone_is_whole_quarter_hours_from_utc_this_decade() {
        for zone in chrono_tz::TZ_VARIANTS {
            for year in 2020..2030 {
                for month in 1..=12 {
                    let local = zone.with_ymd_and_hms(year, month, 15, 12, 0, 0).unwrap();
                    let offset = local.offset().fix().local_minus_utc();
                    assert_eq!(offset % 900, 0, "{zone} {year}-{month}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn pieces_make_up_the_window_without_gap_or_overlap(
            start in 0..200_000i64, length in 1..100_000i64,
        ) {
            let quarter = |number: i64| DateTime::UNIX_EPOCH + TimeDelta::minutes(15 * number);
            let window = Window::new(quarter(start), quarter(start + length), Tz::UTC).unwrap();
            let pieces = window.pieces();
            let mut reached = window.from();
            for piece in &pieces {
                prop_assert_eq!(piece.from, reached);
                prop_assert!(piece.from < piece.to);
                prop_assert_eq!(floor(piece.from, piece.span), piece.from);
                prop_assert_eq!(floor(piece.to, piece.span), piece.to);
                reached = piece.to;
            }
            prop_assert_eq!(reached, window.to());
            prop_assert!(pieces.len() <= 13);
            let buckets: i64 = pieces
                .iter()
                .map(|piece| (piece.to - piece.from).num_minutes() / i64::from(piece.span.minutes()))
                .sum();
            // Of each length there are fewer than make up the next, before and after it.
            prop_assert!(buckets <= 2 * (3 + 3 + 5 + 3 + 3 + 3) + 1_098 / 64);
        }
    }
}
