//! The payer's clock and calendar.

use chrono::{
    DateTime, Datelike, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone,
    Timelike, Utc,
};
use chrono_tz::Tz;

/// What the payer's clock and calendar show at `at`.
pub(super) fn local(at: DateTime<Utc>, zone: Tz) -> NaiveDateTime {
    at.with_timezone(&zone).naive_local()
}

/// The time at which the payer's clock shows `local`. A clock set forward skips
/// some times: then the first quarter of an hour that it does show. A clock set
/// back shows some twice: then the first.
pub(super) fn on_the_clock(local: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    let quarter = TimeDelta::minutes(15);
    let mut local = local;
    // Two days: Samoa skipped the whole of 2011-12-30.
    for _ in 0..(2 * 24 * 4) {
        match zone.from_local_datetime(&local) {
            LocalResult::Single(time) => return Some(time.to_utc()),
            LocalResult::Ambiguous(first, _) => return Some(first.to_utc()),
            LocalResult::None => local = local.checked_add_signed(quarter)?,
        }
    }
    None
}

/// When the payer's clock shows `time` next after `at`, today if that is still
/// to come, always later than `at`.
pub(super) fn next_showing(time: NaiveTime, zone: Tz, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let now = local(at, zone);
    let day = if now.time() < time {
        now.date()
    } else {
        now.date().succ_opt()?
    };
    let shown = on_the_clock(day.and_time(time), zone)?;
    // A clock set back shows an hour twice, and its first showing may be over.
    Some(shown.max(at.checked_add_signed(TimeDelta::seconds(1))?))
}

/// The same time of day as at `at` on the first day after it, within `days`,
/// that is wanted.
pub(super) fn same_time_on(
    at: DateTime<Utc>,
    zone: Tz,
    days: u32,
    wanted: impl Fn(NaiveDate) -> bool,
) -> Option<DateTime<Utc>> {
    let now = local(at, zone);
    let mut day = now.date();
    for _ in 0..days {
        day = day.succ_opt()?;
        if wanted(day) {
            return on_the_clock(day.and_time(now.time()), zone).filter(|later| *later > at);
        }
    }
    None
}

/// `Fri 09:00 Asia/Kolkata`, with the date when it is not within the week.
pub(super) fn words(out: &mut String, at: DateTime<Utc>, zone: Tz, now: DateTime<Utc>) {
    let local = local(at, zone);
    // Written by hand: a format that is read anew for each plan costs a microsecond.
    out.push_str(weekday(local.date()));
    out.push(' ');
    if at - now >= TimeDelta::days(6) {
        number(out, local.day(), 1);
        out.push(' ');
        out.push_str(month(local.date()));
        out.push(' ');
    }
    number(out, local.hour(), 2);
    out.push(':');
    number(out, local.minute(), 2);
    out.push(' ');
    out.push_str(zone.name());
}

/// Appends a number of at least `digits` digits, at most two.
pub(super) fn number(out: &mut String, value: u32, digits: usize) {
    if digits == 2 || value > 9 {
        out.push(digit(value / 10));
    }
    out.push(digit(value));
}

fn digit(value: u32) -> char {
    char::from_digit(value % 10, 10).unwrap_or('0')
}

fn weekday(date: NaiveDate) -> &'static str {
    match date.weekday() {
        chrono::Weekday::Mon => "Mon",
        chrono::Weekday::Tue => "Tue",
        chrono::Weekday::Wed => "Wed",
        chrono::Weekday::Thu => "Thu",
        chrono::Weekday::Fri => "Fri",
        chrono::Weekday::Sat => "Sat",
        chrono::Weekday::Sun => "Sun",
    }
}

fn month(date: NaiveDate) -> &'static str {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let index = usize::try_from(date.month0()).unwrap_or(0);
    MONTHS.get(index).copied().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_name_the_day_and_a_date_that_is_far() {
        let now: DateTime<Utc> = "2026-03-05T06:30:00Z".parse().unwrap();
        let said = |at: DateTime<Utc>| {
            let mut out = String::new();
            words(&mut out, at, Tz::Asia__Kolkata, now);
            out
        };
        assert_eq!(said(now), "Thu 12:00 Asia/Kolkata");
        assert_eq!(
            said(now + TimeDelta::minutes(1_263)),
            "Fri 09:03 Asia/Kolkata"
        );
        assert_eq!(
            said(now + TimeDelta::days(6)),
            "Wed 11 Mar 12:00 Asia/Kolkata"
        );
        assert_eq!(
            said(now + TimeDelta::days(30)),
            "Sat 4 Apr 12:00 Asia/Kolkata"
        );
    }
}
