//! Quiet hours on the payer's clock.

use chrono::{DateTime, LocalResult, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use crate::policy::{QuietHours, SendingWindow};
use crate::state::Channel;

/// When a channel may be used; email always.
fn window(hours: &QuietHours, channel: Channel) -> Option<SendingWindow> {
    match channel {
        Channel::Email => None,
        Channel::Sms => Some(hours.sms),
        Channel::WhatsApp => Some(hours.whatsapp),
    }
}

/// Whether a channel may be used at `at`.
pub(super) fn allows(hours: &QuietHours, channel: Channel, zone: Tz, at: DateTime<Utc>) -> bool {
    let time = at.with_timezone(&zone).time();
    !hours.enabled
        || window(hours, channel)
            .is_none_or(|window| window.from.time() <= time && time < window.until.time())
}

/// The first time from `at` on at which every channel may be used. A policy's
/// windows share an hour of each day, so there is one within two days; a zone
/// that skips whole days costs a few rounds more.
pub(super) fn first_allowed(
    hours: &QuietHours,
    channels: &[Channel],
    zone: Tz,
    at: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let mut at = at;
    for _ in 0..16 {
        let closed = channels
            .iter()
            .copied()
            .filter(|channel| !allows(hours, *channel, zone, at))
            .find_map(|channel| window(hours, channel));
        let Some(window) = closed else {
            return Some(at);
        };
        at = opening(window, zone, at)?;
    }
    None
}

/// When a window opens next after `at`, which lies outside of it.
fn opening(window: SendingWindow, zone: Tz, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let local = at.with_timezone(&zone).naive_local();
    let today = local.date();
    let day = if local.time() < window.from.time() {
        today
    } else {
        today.succ_opt()?
    };
    let opens = on_the_clock(day.and_time(window.from.time()), zone)?;
    // A clock set back shows an hour twice, and its first showing may be over.
    Some(opens.max(at.checked_add_signed(TimeDelta::seconds(1))?))
}

/// The time at which the payer's clock shows `local`. A clock set forward skips
/// some times: then the first quarter of an hour that it does show.
fn on_the_clock(local: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn sms_from(zone: Tz, start: &str) -> String {
        let first = first_allowed(&QuietHours::default(), &[Channel::Sms], zone, at(start));
        first.unwrap().with_timezone(&zone).to_rfc3339()
    }

    #[test]
    fn a_night_ends_at_eight_on_the_payers_clock() {
        let kolkata = Tz::Asia__Kolkata;
        assert_eq!(
            sms_from(kolkata, "2026-03-05T17:00:00Z"),
            "2026-03-06T08:00:00+05:30"
        );
        assert_eq!(
            sms_from(kolkata, "2026-03-05T20:00:00Z"),
            "2026-03-06T08:00:00+05:30"
        );
        assert_eq!(
            sms_from(kolkata, "2026-03-05T10:00:00Z"),
            "2026-03-05T15:30:00+05:30"
        );
    }

    #[test]
    fn eight_is_eight_whatever_the_clocks_do() {
        let york = Tz::America__New_York;
        assert_eq!(
            sms_from(york, "2026-03-08T05:30:00Z"),
            "2026-03-08T08:00:00-04:00"
        );
        assert_eq!(
            sms_from(york, "2026-11-01T05:30:00Z"),
            "2026-11-01T08:00:00-05:00"
        );
        let apia = Tz::Pacific__Apia;
        assert_eq!(
            sms_from(apia, "2011-12-30T08:00:00Z"),
            "2011-12-31T08:00:00+14:00"
        );
        assert_eq!(
            sms_from(Tz::Europe__Berlin, "2028-02-28T22:30:00Z"),
            "2028-02-29T08:00:00+01:00"
        );
    }

    proptest! {
        #[test]
        fn the_time_found_is_allowed_not_earlier_and_soon(
            seconds in 1_200_000_000i64..2_200_000_000,
            zone in prop::sample::select(chrono_tz::TZ_VARIANTS.to_vec()),
        ) {
            let hours = QuietHours::default();
            let start = DateTime::from_timestamp(seconds, 0).unwrap();
            let channels = [Channel::Email, Channel::Sms, Channel::WhatsApp];
            let found = first_allowed(&hours, &channels, zone, start).unwrap();
            prop_assert!(found >= start && found - start < TimeDelta::days(2));
            for channel in channels {
                prop_assert!(allows(&hours, channel, zone, found));
            }
        }
    }
}
