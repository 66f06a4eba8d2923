//! When a payer may well be written to or charged: hours to suggest to a merchant.
//!
//! What is suggested keeps the policy's quiet hours and the law's on every channel
//! asked about. How good an hour is comes from the policy's preferences; the hours
//! themselves, never from them.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use chrono_tz::Tz;

use super::clock;
use super::hours::MessageHours;
use crate::limits::RulePack;
use crate::payer::Country;
use crate::policy::{RetryPolicy, SendingWindow};
use crate::state::Channel;

/// The furthest that is looked ahead, in hours: a week.
pub const MOST_HOURS_AHEAD: u32 = 168;

/// Some time, an hour of the payer's clock at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SuggestedWindow {
    /// The first minute.
    pub start: DateTime<Utc>,
    /// The end, not itself within.
    pub end: DateTime<Utc>,
    /// How good it is, from 0 to 100.
    pub score: u8,
}

/// The payer whose hours are asked about.
#[derive(Debug, Clone, Copy)]
pub struct PayerHours<'a> {
    /// By which ways the payer would be written to.
    pub channels: &'a [Channel],
    /// Where the payer is.
    pub country: Option<Country>,
    /// What the payer's clock shows.
    pub time_zone: Tz,
}

/// The hours from `now` on, `hours_ahead` of them and a week at most, in which the
/// payer may be written to by every one of the channels: in order, none touching
/// the inside of another.
pub fn suggested_windows(
    policy: &RetryPolicy,
    pack: RulePack,
    payer: &PayerHours<'_>,
    now: DateTime<Utc>,
    hours_ahead: u32,
) -> Vec<SuggestedWindow> {
    let horizon = TimeDelta::hours(i64::from(hours_ahead.min(MOST_HOURS_AHEAD)));
    let Some((first, end)) = minute_from(now).zip(now.checked_add_signed(horizon)) else {
        return Vec::new();
    };
    let hours = MessageHours {
        policy: &policy.document().quiet_hours,
        pack,
        country: payer.country,
        zone: payer.time_zone,
    };
    let open = |at| {
        payer
            .channels
            .iter()
            .all(|channel| hours.allow(*channel, at))
    };
    let mut windows: Vec<SuggestedWindow> = Vec::new();
    let mut at = first;
    // Hours begin and end on whole minutes.
    while let Some(next) = at
        .checked_add_signed(TimeDelta::minutes(1))
        .filter(|it| *it <= end)
    {
        if open(at) {
            let goes_on = |last: &&mut SuggestedWindow| last.end == at && !is_full_hour(at, payer);
            match windows.last_mut().filter(goes_on) {
                Some(last) => last.end = next,
                None => windows.push(SuggestedWindow {
                    start: at,
                    end: next,
                    score: score(policy, payer, at),
                }),
            }
        }
        at = next;
    }
    windows
}

/// The first full minute from `at` on.
fn minute_from(at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let minute = TimeDelta::minutes(1);
    let floor = at.duration_trunc(minute).ok()?;
    if floor == at {
        Some(at)
    } else {
        floor.checked_add_signed(minute)
    }
}

fn is_full_hour(at: DateTime<Utc>, payer: &PayerHours<'_>) -> bool {
    use chrono::Timelike;
    clock::local(at, payer.time_zone).minute() == 0
}

/// Half of all is that it is allowed; by day it is better, in the policy's best hours
/// and on a pay-day better yet, and on a week-end that the policy avoids worse.
fn score(policy: &RetryPolicy, payer: &PayerHours<'_>, at: DateTime<Utc>) -> u8 {
    const ALLOWED: u8 = 50;
    const BY_DAY: u8 = 10;
    const BEST_HOURS: u8 = 25;
    const PAY_DAY: u8 = 15;
    const WEEKEND: u8 = 30;
    let document = policy.document();
    let local = clock::local(at, payer.time_zone);
    let within = |hours: SendingWindow| {
        hours.from.time() <= local.time() && local.time() < hours.until.time()
    };
    let days = &document.weekends;
    let avoids = days.avoid_charges || days.avoid_messages;
    let mut score = ALLOWED;
    if within(SendingWindow::default()) {
        score += BY_DAY;
    }
    if document.best_charge_hours.is_some_and(within) {
        score += BEST_HOURS;
    }
    if document.pay_days.enabled && document.pay_days.include(payer.country, local.date()) {
        score += PAY_DAY;
    }
    if avoids && days.include(payer.country, local.date()) {
        score -= WEEKEND;
    }
    score
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{LocalTime, PolicyDocument};
    use proptest::prelude::*;

    fn policy(document: PolicyDocument) -> RetryPolicy {
        RetryPolicy::from_document(document).unwrap()
    }

    fn payer<'a>(channels: &'a [Channel], zone: Tz, country: Option<&str>) -> PayerHours<'a> {
        PayerHours {
            channels,
            country: country.map(|code| code.parse().unwrap()),
            time_zone: zone,
        }
    }

    #[test]
    fn a_day_in_india_is_from_nine_to_seven_in_hours_of_the_payers_clock() {
        let payer = payer(&[Channel::Sms], Tz::Asia__Kolkata, Some("IN"));
        let now = "2026-03-05T12:10:30Z".parse().unwrap();
        let all = suggested_windows(
            &RetryPolicy::default(),
            RulePack::current(),
            &payer,
            now,
            24,
        );
        let local = |at: DateTime<Utc>| {
            at.with_timezone(&Tz::Asia__Kolkata)
                .format("%H:%M")
                .to_string()
        };
        let shown: Vec<_> = all
            .iter()
            .map(|it| format!("{}-{}", local(it.start), local(it.end)))
            .collect();
        assert_eq!(shown[0], "17:41-18:00");
        assert!(shown.contains(&"09:00-10:00".to_owned()), "{shown:?}");
        assert!(
            !shown
                .iter()
                .any(|it| it.starts_with("08") || it.starts_with("22")),
            "{shown:?}"
        );
    }

    #[test]
    fn best_hours_and_pay_days_are_better_and_avoided_week_ends_worse() {
        let mut document = PolicyDocument {
            best_charge_hours: Some(SendingWindow {
                from: LocalTime::full_hour(10),
                until: LocalTime::full_hour(12),
            }),
            ..PolicyDocument::default()
        };
        document.pay_days.enabled = true;
        document.weekends.avoid_messages = true;
        let policy = policy(document);
        let payer = payer(&[Channel::Email], Tz::UTC, Some("DE"));
        let at = |text: &str| score(&policy, &payer, text.parse().unwrap());
        assert_eq!(at("2026-09-15T10:00:00Z"), 100);
        assert_eq!(at("2026-09-16T10:00:00Z"), 85);
        assert_eq!(at("2026-09-16T12:00:00Z"), 60);
        assert_eq!(at("2026-09-16T03:00:00Z"), 50);
        assert_eq!(at("2026-09-19T03:00:00Z"), 20);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn what_is_suggested_is_allowed_within_the_horizon_in_order_and_apart(
            seconds in 1_700_000_000i64..2_000_000_000,
            hours_ahead in 1u32..=200,
            zone in prop::sample::select(chrono_tz::TZ_VARIANTS.to_vec()),
            country in prop::option::of(prop::sample::select(vec!["US", "IN", "AU", "CA", "FR", "DE"])),
            channels in prop::sample::subsequence(Channel::ALL.to_vec(), 1..=3),
        ) {
            let policy = RetryPolicy::default();
            let payer = payer(&channels, zone, country);
            let now = DateTime::from_timestamp(seconds, 0).unwrap();
            let windows =
                suggested_windows(&policy, RulePack::current(), &payer, now, hours_ahead);
            let hours = MessageHours {
                policy: &policy.document().quiet_hours,
                pack: RulePack::current(),
                country: payer.country,
                zone,
            };
            let last = now + TimeDelta::hours(i64::from(hours_ahead.min(MOST_HOURS_AHEAD)));
            for window in &windows {
                prop_assert!(now <= window.start && window.start < window.end);
                prop_assert!(window.end <= last && window.score <= 100);
                prop_assert!(window.end - window.start <= TimeDelta::hours(1));
                let moment = TimeDelta::seconds(1);
                for at in [window.start, window.end - moment] {
                    for channel in &channels {
                        prop_assert!(hours.allow(*channel, at), "{channel} at {at}");
                    }
                }
            }
            for pair in windows.windows(2) {
                prop_assert!(pair[0].end <= pair[1].start);
            }
        }
    }
}
