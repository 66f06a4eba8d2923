use super::*;
use crate::state::Channel;

fn hours(code: &str, time: &str, zone: Tz) -> Option<(String, String, &'static str)> {
    let hours =
        RulePack::current().message_hours(Channel::Sms, Some(country(code)), at(time), zone)?;
    Some((
        hours.from.format("%H:%M").to_string(),
        hours.until.format("%H:%M").to_string(),
        hours.rule.id,
    ))
}

fn from_to(from: &str, until: &str, rule: &'static str) -> (String, String, &'static str) {
    (from.to_owned(), until.to_owned(), rule)
}

/// A Friday.
const FRIDAY: &str = "2026-11-27T12:00:00Z";
const SATURDAY: &str = "2026-11-28T12:00:00Z";

#[test]
fn each_country_has_its_hours() {
    let york = Tz::America__New_York;
    assert_eq!(
        hours("US", FRIDAY, york),
        Some(from_to("08:00", "21:00", "us-hours"))
    );
    assert_eq!(
        hours("PR", FRIDAY, york),
        Some(from_to("08:00", "21:00", "us-hours"))
    );
    let kolkata = Tz::Asia__Kolkata;
    assert_eq!(
        hours("IN", FRIDAY, kolkata),
        Some(from_to("09:00", "21:00", "india-hours"))
    );
    let paris = Tz::Europe__Paris;
    assert_eq!(
        hours("FR", FRIDAY, paris),
        Some(from_to("08:00", "20:30", "france-hours"))
    );
    for without in ["GB", "DE", "SG"] {
        assert_eq!(hours(without, FRIDAY, Tz::UTC), None, "{without}");
    }
}

#[test]
fn a_week_end_is_one_on_the_payers_calendar() {
    let sydney = Tz::Australia__Sydney;
    let weekday = Some(from_to("07:30", "21:00", "australia-hours"));
    let weekend = Some(from_to("09:00", "21:00", "australia-weekend-hours"));
    assert_eq!(hours("AU", FRIDAY, sydney), weekday);
    // Saturday in Sydney while it is Friday in London.
    assert_eq!(hours("AU", "2026-11-27T20:00:00Z", sydney), weekend);
    let toronto = Tz::America__Toronto;
    let canada = Some(from_to("10:00", "18:00", "canada-weekend-hours"));
    assert_eq!(hours("CA", SATURDAY, toronto), canada);
    assert_eq!(
        hours("CA", "2026-11-28T03:00:00Z", toronto),
        Some(from_to("09:00", "21:30", "canada-hours"))
    );
}

#[test]
fn email_has_no_hours_and_whatsapp_those_of_phones() {
    let of = |channel| {
        RulePack::current().message_hours(
            channel,
            Some(country("IN")),
            at(FRIDAY),
            Tz::Asia__Kolkata,
        )
    };
    assert_eq!(of(Channel::Email), None);
    assert_eq!(of(Channel::WhatsApp), of(Channel::Sms));
    let nowhere =
        RulePack::current().message_hours(Channel::Sms, None, at(FRIDAY), Tz::Asia__Kolkata);
    assert_eq!(nowhere, None);
}

#[test]
fn hours_begin_with_their_first_minute_and_end_before_their_last() {
    let india = RulePack::current()
        .message_hours(
            Channel::Sms,
            Some(country("IN")),
            at(FRIDAY),
            Tz::Asia__Kolkata,
        )
        .unwrap();
    let clock = |text: &str| text.parse().unwrap();
    assert!(!india.allow(clock("08:59:59")) && india.allow(clock("09:00:00")));
    assert!(india.allow(clock("20:59:59")) && !india.allow(clock("21:00:00")));
}

#[test]
fn no_country_is_without_an_hour_to_write_in_on_any_day() {
    for pack in RulePack::all() {
        for rule in pack.rules() {
            if let rule::Binds::Messages { minutes, .. } = rule.binds {
                assert!(minutes.0 < minutes.1 && minutes.1 < 24 * 60, "{}", rule.id);
            }
        }
    }
}

#[test]
fn hours_hold_from_their_day_on_and_in_editions_that_know_them() {
    let in_india = |pack: RulePack, time: &str| {
        pack.message_hours(
            Channel::Sms,
            Some(country("IN")),
            at(time),
            Tz::Asia__Kolkata,
        )
        .map(|hours| hours.rule.id)
    };
    let (first, current) = (RulePack::all()[0], RulePack::current());
    assert_eq!(in_india(current, "2011-09-26T23:59:59Z"), None);
    let since = "2011-09-27T00:00:00Z";
    assert_eq!(in_india(current, since), Some("india-hours"));
    assert_eq!(in_india(first, since), None);
    assert_eq!(in_india(first, FRIDAY), None);
}
