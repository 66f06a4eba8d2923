//! The hours in which messages may be sent: the policy's, narrowed by the laws
//! of the payer's country.

use chrono::{DateTime, NaiveTime, Utc};
use chrono_tz::Tz;

use super::clock;
use super::shift::Shift;
use crate::limits::{Rule, RulePack};
use crate::payer::Country;
use crate::policy::QuietHours;
use crate::state::Channel;

/// The hours on one payer's clock.
#[derive(Clone, Copy)]
pub(super) struct MessageHours<'a> {
    pub(super) policy: &'a QuietHours,
    pub(super) pack: RulePack,
    pub(super) country: Option<Country>,
    pub(super) zone: Tz,
}

/// Why a channel may not be used, and the next time of day to look at.
#[derive(Clone, Copy)]
struct Closed {
    /// The rule that closes it; the policy where there is none.
    rule: Option<&'static Rule>,
    /// When it opens: later today if that is still to come, else tomorrow.
    opens: NaiveTime,
}

impl MessageHours<'_> {
    /// Whether a channel may be used at `at`.
    pub(super) fn allow(&self, channel: Channel, at: DateTime<Utc>) -> bool {
        self.closed(channel, at).is_none()
    }

    /// The first time from `at` on at which every channel may be used, with
    /// what moved it there. None when there is no such time within some weeks.
    pub(super) fn first_open(
        &self,
        channels: &[Channel],
        at: DateTime<Utc>,
    ) -> Option<(DateTime<Utc>, Option<Shift>)> {
        let mut open = at;
        let mut closing = None;
        // Each round takes a channel to its opening; a day takes at most three.
        for _ in 0..64 {
            let closed = channels
                .iter()
                .find_map(|channel| self.closed(*channel, open));
            let Some(closed) = closed else {
                let shift = (open > at).then(|| Shift {
                    from: at,
                    to: open,
                    rule: closing.map_or("quiet_hours", |rule: &Rule| rule.id),
                    why: "quiet hours",
                    more: closing.map(|rule| rule.words),
                });
                return Some((open, shift));
            };
            closing = closed.rule.or(closing);
            open = clock::next_showing(closed.opens, self.zone, open)?;
        }
        None
    }

    fn closed(&self, channel: Channel, at: DateTime<Utc>) -> Option<Closed> {
        let policy = self.policy.window(channel);
        let law = match channel {
            Channel::Email => None,
            Channel::Sms | Channel::WhatsApp => {
                self.pack
                    .message_hours(channel, self.country, at, self.zone)
            }
        };
        if policy.is_none() && law.is_none() {
            return None;
        }
        let time = clock::local(at, self.zone).time();
        let by_policy =
            policy.is_some_and(|hours| time < hours.from.time() || hours.until.time() <= time);
        let by_law = law.is_some_and(|hours| !hours.allow(time));
        if !by_policy && !by_law {
            return None;
        }
        let policy_opens = policy.map_or(NaiveTime::MIN, |hours| hours.from.time());
        let opens = law.map_or(policy_opens, |hours| hours.from.max(policy_opens));
        Some(Closed {
            rule: law.filter(|_| by_law && !by_policy).map(|hours| hours.rule),
            // Tomorrow's law may open at another hour, so look at it from the
            // policy's on.
            opens: if time < opens { opens } else { policy_opens },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use proptest::prelude::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn hours<'a>(policy: &'a QuietHours, country: Option<&str>, zone: Tz) -> MessageHours<'a> {
        MessageHours {
            policy,
            pack: RulePack::current(),
            country: country.map(|code| code.parse().unwrap()),
            zone,
        }
    }

    fn sms_from(country: Option<&str>, zone: Tz, start: &str) -> String {
        let policy = QuietHours::default();
        let hours = hours(&policy, country, zone);
        let (first, _) = hours.first_open(&[Channel::Sms], at(start)).unwrap();
        first.with_timezone(&zone).to_rfc3339()
    }

    #[test]
    fn a_night_ends_at_eight_on_the_payers_clock() {
        let kolkata = Tz::Asia__Kolkata;
        for (start, first) in [
            ("2026-03-05T17:00:00Z", "2026-03-06T08:00:00+05:30"),
            ("2026-03-05T20:00:00Z", "2026-03-06T08:00:00+05:30"),
            ("2026-03-05T10:00:00Z", "2026-03-05T15:30:00+05:30"),
        ] {
            assert_eq!(sms_from(None, kolkata, start), first);
        }
    }

    #[test]
    fn a_law_opens_the_day_later_and_closes_it_earlier() {
        let india = |start| sms_from(Some("IN"), Tz::Asia__Kolkata, start);
        assert_eq!(india("2026-03-05T17:00:00Z"), "2026-03-06T09:00:00+05:30");
        assert_eq!(india("2026-03-05T03:00:00Z"), "2026-03-05T09:00:00+05:30");
        // Canada's Saturday ends at 18:00, and its Sunday begins at 10:00.
        let canada = |start| sms_from(Some("CA"), Tz::America__Toronto, start);
        assert_eq!(canada("2026-03-07T23:30:00Z"), "2026-03-08T10:00:00-04:00");
        assert_eq!(canada("2026-03-08T23:30:00Z"), "2026-03-09T09:00:00-04:00");
    }

    #[test]
    fn a_policy_that_keeps_no_hours_leaves_the_law() {
        let policy = QuietHours {
            enabled: false,
            ..QuietHours::default()
        };
        let night = at("2026-03-05T17:00:00Z");
        let india = hours(&policy, Some("IN"), Tz::Asia__Kolkata);
        assert!(!india.allow(Channel::WhatsApp, night) && india.allow(Channel::Email, night));
        let nowhere = hours(&policy, None, Tz::Asia__Kolkata);
        assert!(nowhere.allow(Channel::WhatsApp, night));
    }

    #[test]
    fn eight_is_eight_whatever_the_clocks_do() {
        for (zone, start, first) in [
            (
                Tz::America__New_York,
                "2026-03-08T05:30:00Z",
                "2026-03-08T08:00:00-04:00",
            ),
            (
                Tz::America__New_York,
                "2026-11-01T05:30:00Z",
                "2026-11-01T08:00:00-05:00",
            ),
            (
                Tz::Pacific__Apia,
                "2011-12-30T08:00:00Z",
                "2011-12-31T08:00:00+14:00",
            ),
            (
                Tz::Europe__Berlin,
                "2028-02-28T22:30:00Z",
                "2028-02-29T08:00:00+01:00",
            ),
        ] {
            assert_eq!(sms_from(None, zone, start), first);
        }
    }

    proptest! {
        #[test]
        fn the_time_found_is_allowed_not_earlier_and_soon(
            seconds in 1_200_000_000i64..2_200_000_000,
            zone in prop::sample::select(chrono_tz::TZ_VARIANTS.to_vec()),
            country in prop::option::of(prop::sample::select(vec!["US", "IN", "AU", "CA", "FR", "DE"])),
        ) {
            let policy = QuietHours::default();
            let hours = hours(&policy, country, zone);
            let start = DateTime::from_timestamp(seconds, 0).unwrap();
            let channels = [Channel::Email, Channel::Sms, Channel::WhatsApp];
            let (found, shift) = hours.first_open(&channels, start).unwrap();
            prop_assert!(found >= start && found - start < TimeDelta::days(2));
            prop_assert_eq!(shift.is_some(), found > start);
            for channel in channels {
                prop_assert!(hours.allow(channel, found));
            }
        }
    }
}
