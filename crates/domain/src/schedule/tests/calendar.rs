//! Pay-days, week-ends and best hours. Noon is on Thursday, 5 March 2026.

use super::*;

fn funds(policy: &Value) -> Step {
    case("insufficient_funds").step(policy, noon())
}

fn with(more: &Value) -> Value {
    let mut policy = exact();
    let fields = policy.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    policy
}

/// The payer's clock and calendar at a time.
fn shown(at: DateTime<Utc>) -> String {
    at.with_timezone(&Tz::Asia__Kolkata)
        .format("%a %-d %b %H:%M")
        .to_string()
}

#[test]
fn a_charge_waits_for_the_next_pay_day_at_its_own_time_of_day() {
    let step = funds(&with(
        &json!({"pay_days": {"enabled": true, "month_days": [10]}}),
    ));
    assert_eq!(shown(step.due_at), "Tue 10 Mar 13:00");
    assert!(
        step.why
            .ends_with("moved to Tue 13:00 Asia/Kolkata: a pay-day"),
        "{}",
        step.why
    );
}

#[test]
fn a_charge_on_a_pay_day_waits_for_no_other_and_one_that_a_week_end_moved_on_for_none() {
    let policy = |days: &[u8]| {
        with(&json!({
            "pay_days": {"enabled": true, "month_days": days},
            "weekends": {"avoid_charges": true},
        }))
    };
    assert_eq!(shown(funds(&policy(&[5, 12])).due_at), "Thu 5 Mar 13:00");
    // The seventh is a Saturday: the Monday after it is as good.
    assert_eq!(shown(funds(&policy(&[7, 12])).due_at), "Mon 9 Mar 13:00");
}

#[test]
fn a_pay_day_too_far_away_is_not_waited_for_and_another_failure_waits_for_none() {
    let policy = |within| {
        with(&json!({"pay_days": {"enabled": true, "month_days": [10], "within_days": within}}))
    };
    assert_eq!(shown(funds(&policy(4)).due_at), "Thu 5 Mar 13:00");
    assert_eq!(shown(funds(&policy(5)).due_at), "Tue 10 Mar 13:00");
    let other = case("do_not_honor").step(&policy(5), noon());
    assert!(!other.why.contains("a pay-day"), "{}", other.why);
}

#[test]
fn a_month_that_has_no_31st_pays_on_its_last_day_and_countries_have_their_own_days() {
    let policy = |pay_days: Value| {
        let mut pay_days = pay_days;
        pay_days["enabled"] = json!(true);
        pay_days["within_days"] = json!(31);
        json!({"jitter_percent": 0, "stop_after_seconds": 5_000_000, "pay_days": pay_days})
    };
    let on = |date: &str, pay_days: Value, country: Option<&str>| {
        let now = format!("{date}T06:30:00Z").parse().unwrap();
        let mut case = case("insufficient_funds").failed_at(now);
        case.facts.opened_at = now;
        case.facts.country = country.map(|code| code.parse().unwrap());
        shown(case.step(&policy(pay_days), now).due_at)
    };
    assert_eq!(
        on("2028-02-03", json!({"month_days": ["last"]}), None),
        "Tue 29 Feb 13:00"
    );
    assert_eq!(
        on("2027-02-03", json!({"month_days": [30]}), None),
        "Sun 28 Feb 13:00"
    );
    assert_eq!(
        on("2026-03-03", json!({"weekdays": ["Wed"]}), None),
        "Wed 4 Mar 13:00"
    );
    assert_eq!(on("2026-03-02", json!({}), Some("IN")), "Sat 7 Mar 13:00");
    assert_eq!(on("2026-03-02", json!({}), Some("JP")), "Wed 25 Mar 13:00");
    assert_eq!(on("2026-03-02", json!({}), Some("US")), "Fri 6 Mar 13:00");
    assert_eq!(on("2026-03-02", json!({}), None), "Fri 6 Mar 13:00");
}

#[test]
fn week_ends_are_avoided_by_country() {
    let friday = noon() + TimeDelta::days(1);
    let policy = with(&json!({"weekends": {"avoid_charges": true, "avoid_messages": true}}));
    let on = |code: &str, country: Option<&str>, days: i64| {
        let now = friday + TimeDelta::days(days);
        let mut case = case(code).failed_at(now);
        case.facts.country = country.map(|code| code.parse().unwrap());
        case.step(&policy, now)
    };
    assert_eq!(
        shown(on("insufficient_funds", None, 0).due_at),
        "Fri 6 Mar 13:00"
    );
    let saturday = on("insufficient_funds", None, 1);
    assert_eq!(shown(saturday.due_at), "Mon 9 Mar 13:00");
    assert!(
        saturday
            .why
            .ends_with("moved to Mon 13:00 Asia/Kolkata: not at the week-end")
    );
    assert_eq!(
        shown(on("insufficient_funds", Some("SA"), 0).due_at),
        "Sun 8 Mar 13:00"
    );
    assert_eq!(
        shown(on("insufficient_funds", Some("IN"), 1).due_at),
        "Sat 7 Mar 13:00"
    );
    assert_eq!(shown(on("lost_card", None, 1).due_at), "Mon 9 Mar 13:00");
    // Who was there a moment ago is written to at once.
    assert_eq!(shown(on("expired_card", None, 1).due_at), "Sat 7 Mar 12:00");
}

#[test]
fn best_hours_open_the_next_day() {
    let hours = |from: &str, until: &str| {
        let best = json!({"from": from, "until": until});
        shown(funds(&with(&json!({"best_charge_hours": best}))).due_at)
    };
    assert_eq!(hours("12:00", "14:00"), "Thu 5 Mar 13:00");
    assert_eq!(hours("18:00", "20:00"), "Thu 5 Mar 18:00");
    assert_eq!(hours("09:00", "13:00"), "Fri 6 Mar 09:00");
}

#[test]
fn preferences_are_asked_again_until_none_moves_the_charge() {
    // The pay-day is a Saturday, the next working day a Monday, its hours begin at ten.
    let step = funds(&with(&json!({
        "pay_days": {"enabled": true, "month_days": [7]},
        "weekends": {"avoid_charges": true},
        "best_charge_hours": {"from": "10:00", "until": "12:00"},
    })));
    assert_eq!(shown(step.due_at), "Tue 10 Mar 10:00");
    let moves: Vec<_> = step.why.matches("moved to").collect();
    assert_eq!(moves.len(), 3, "{}", step.why);
}

#[test]
fn a_preference_yields_to_the_recoverys_end_the_least_important_first() {
    let policy = |stop: u32| {
        with(&json!({
            "stop_after_seconds": stop,
            "pay_days": {"enabled": true, "month_days": [7]},
            "best_charge_hours": {"from": "09:00", "until": "12:00"},
        }))
    };
    let day = 24 * 60 * 60;
    assert_eq!(shown(funds(&policy(4 * day)).due_at), "Sun 8 Mar 09:00");
    let pay_day = funds(&policy(5 * day / 2));
    assert_eq!(shown(pay_day.due_at), "Sat 7 Mar 13:00");
    assert!(
        pay_day
            .why
            .ends_with("the best hours are not kept: it would fall past the recovery's end"),
        "{}",
        pay_day.why
    );
    let hours = funds(&policy(day));
    assert_eq!(shown(hours.due_at), "Fri 6 Mar 09:00");
    assert!(
        hours
            .why
            .contains("no pay-day is waited for: it would fall past the recovery's end")
    );
}

#[test]
fn a_preference_yields_to_a_rule_that_never_does() {
    // AutoPay is never debited from 10:00 to 13:00.
    let policy = with(&json!({"best_charge_hours": {"from": "10:30", "until": "12:30"}}));
    let mut autopay = case("insufficient_funds");
    autopay.facts.rail = Rail::UpiAutopay;
    let step = autopay.step(&policy, noon());
    assert_eq!(shown(step.due_at), "Fri 6 Mar 13:00");
    assert!(
        step.why
            .ends_with("the best hours are not kept: the rules leave no such time"),
        "{}",
        step.why
    );
}

#[test]
fn a_law_opens_phones_later_than_the_policy_and_emails_have_hours_if_wanted() {
    let night = noon() + TimeDelta::hours(10);
    let mut indian = case("lost_card").failed_at(night);
    indian.facts.country = Some("IN".parse().unwrap());
    let now = json!({"jitter_percent": 0, "initial_delay_seconds": 0, "enabled_channels": ["sms"]});
    let step = indian.step(&now, night);
    assert_eq!(shown(step.due_at), "Fri 6 Mar 09:00");
    assert!(
        step.why.ends_with(
            "moved to Fri 09:00 Asia/Kolkata: quiet hours: India allows phones to be written to from 09:00 to 21:00"
        ),
        "{}",
        step.why
    );
    let email = with(&json!({
        "initial_delay_seconds": 0,
        "quiet_hours": {"email": {"from": "07:00", "until": "22:00"}},
    }));
    let step = indian.step(&email, night);
    assert_eq!(shown(step.due_at), "Fri 6 Mar 07:00");
    assert!(
        step.why
            .ends_with("moved to Fri 07:00 Asia/Kolkata: quiet hours")
    );
}

#[test]
fn a_round_whose_channels_share_no_hour_goes_by_those_that_open_first() {
    // India's hours begin at nine, and this policy's text messages end then.
    let mut indian = case("lost_card");
    indian.facts.country = Some("IN".parse().unwrap());
    let policy = with(&json!({
        "enabled_channels": ["sms", "whatsapp"],
        "quiet_hours": {
            "sms": {"from": "08:00", "until": "09:00"},
            "whatsapp": {"from": "08:00", "until": "21:00"},
        },
    }));
    let step = indian.step(&policy, noon());
    assert_eq!(shown(step.due_at), "Thu 5 Mar 13:00");
    assert_eq!(step.channels, [Channel::WhatsApp]);
    assert!(
        step.why
            .ends_with("without SMS: no hour is open to all channels"),
        "{}",
        step.why
    );
}
