//! What is still allowed at each limit, and refused just past it.

use super::*;

const DAY: u32 = 86_400;

#[test]
fn every_number_is_taken_up_to_its_limits_and_not_past_them() {
    for (field, least, most) in [
        ("max_retries", 0, 20),
        ("initial_delay_seconds", 0, 30 * DAY),
        ("backoff_multiplier", 1, 5),
        ("max_delay_seconds", 0, 30 * DAY),
        ("jitter_percent", 0, 50),
        ("silent_charges", 0, 20),
        ("stop_after_seconds", 1, 60 * DAY),
        ("link_ttl_seconds", 1, 30 * DAY),
        ("least_message_gap_seconds", 0, 30 * DAY),
        ("pending_wait_seconds", 0, 5 * DAY),
        ("most_messages", 0, 20),
        ("most_charges", 0, 20),
    ] {
        for value in [least, most] {
            let document = json!({ field: value });
            assert!(RetryPolicy::from_json(&document).is_ok(), "{document}");
        }
        let wanted = format!("{field}: must be from {least} to {most}, not {}", most + 1);
        assert_eq!(fault(&json!({ field: most + 1 })), wanted);
        if least > 0 {
            assert!(fault(&json!({ field: least - 1 })).starts_with(field));
        }
    }
    let step = |delay: u32| json!({"steps": [{"delay_seconds": delay, "action": "charge"}]});
    assert!(RetryPolicy::from_json(&step(30 * DAY)).is_ok());
    assert!(fault(&step(30 * DAY + 1)).starts_with("steps[0].delay_seconds: must be from 0"));
}

#[test]
fn names_and_keys_have_as_many_characters_as_they_may() {
    let name = |count: usize| json!({"name": "ä".repeat(count)});
    assert!(RetryPolicy::from_json(&name(128)).is_ok());
    assert!(fault(&name(129)).starts_with("name: must have 1 to 128"));
    let key = |count: usize| json!({"experiment": {"key": "ä".repeat(count)}});
    assert!(RetryPolicy::from_json(&key(64)).is_ok());
    assert!(fault(&key(65)).starts_with("experiment.key: must have 1 to 64"));
}

#[test]
fn hours_may_be_as_short_as_an_hour_and_an_empty_window_is_named() {
    let sms =
        |from: &str, until: &str| json!({"quiet_hours": {"sms": {"from": from, "until": until}}});
    assert!(RetryPolicy::from_json(&sms("08:00", "09:00")).is_ok());
    assert!(RetryPolicy::from_json(&sms("20:00", "21:00")).is_ok());
    assert!(fault(&sms("08:00", "08:59")).starts_with("quiet_hours: SMS and WhatsApp"));
    assert!(fault(&sms("09:00", "09:00")).starts_with("quiet_hours.sms: `from`"));
    assert!(fault(&sms("09:00", "21:01")).starts_with("quiet_hours.sms: must lie within"));
    let best = |until: &str| json!({"best_charge_hours": {"from": "10:00", "until": until}});
    assert!(RetryPolicy::from_json(&best("11:00")).is_ok());
    assert!(fault(&best("10:00")).starts_with("best_charge_hours: `from`"));
}

#[test]
fn pay_days_name_a_day_of_the_month_or_of_the_week() {
    for pay_days in [
        json!({"month_days": [1]}),
        json!({"weekdays": ["Fri"]}),
        json!({"month_days": [], "weekdays": ["Fri"]}),
        json!({"month_days": [1, 31], "weekdays": []}),
        json!({}),
    ] {
        let document = json!({"pay_days": pay_days});
        assert!(RetryPolicy::from_json(&document).is_ok(), "{document}");
    }
    for pay_days in [json!({"month_days": []}), json!({"weekdays": []})] {
        let fault = fault(&json!({"pay_days": pay_days}));
        assert!(fault.starts_with("pay_days: must name a day"), "{fault}");
    }
    let days = json!({"weekends": {"days": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]}});
    assert!(RetryPolicy::from_json(&days).is_ok());
    assert!(
        fault(&json!({"pay_days": {"month_days": [32]}})).starts_with("pay_days.month_days[0]")
    );
}

#[test]
fn a_step_that_writes_names_a_channel_and_one_that_charges_none() {
    let step = |action: &str, channels: &[&str]| json!({"steps": [{"delay_seconds": 1, "action": action, "channels": channels}]});
    assert!(RetryPolicy::from_json(&step("message", &["email"])).is_ok());
    assert!(RetryPolicy::from_json(&step("charge_and_message", &["email"])).is_ok());
    for wrong in [
        step("message", &[]),
        step("charge", &["email"]),
        step("charge", &[]),
    ] {
        let fault = fault(&wrong);
        assert!(
            fault.starts_with("steps[0].channels: belongs to a step that writes"),
            "{fault}"
        );
    }
    let steps = |count: usize| {
        let step = json!({"delay_seconds": 1, "action": "charge_and_message"});
        json!({"max_retries": 4, "steps": vec![step; count]})
    };
    assert!(RetryPolicy::from_json(&steps(2)).is_ok());
    assert!(fault(&steps(3)).starts_with("steps: takes 6"));
}

#[test]
fn an_experiment_may_deal_out_all_there_is() {
    let with = |hold_out: u32, weight: u32| json!({"experiment": {"key": "k", "hold_out": hold_out, "variants": [{"name": "a", "weight": weight}]}});
    assert!(RetryPolicy::from_json(&with(5_000, 5_000)).is_ok());
    assert!(fault(&with(5_001, 5_000)).contains("10001"));
    assert!(fault(&with(u32::MAX, u32::MAX)).starts_with("experiment: gives"));
    let variants: Vec<_> = (0..16)
        .map(|n| json!({"name": format!("v{n}"), "weight": 1}))
        .collect();
    let full = json!({"experiment": {"key": "k", "variants": variants}});
    assert!(RetryPolicy::from_json(&full).is_ok());
}

#[test]
fn the_older_contract_rounds_seconds_up_to_minutes() {
    let minutes = |seconds: u32| {
        let document = json!({"initial_delay_seconds": seconds, "max_delay_seconds": seconds});
        let fields = RetryPolicy::from_json(&document).unwrap().to_contract();
        (fields.initial_delay_minutes, fields.max_delay_minutes)
    };
    assert_eq!(minutes(0), (0, 0));
    assert_eq!(minutes(60), (1, 1));
    assert_eq!(minutes(61), (2, 2));
}

#[test]
fn a_payer_who_is_there_is_written_to_at_once_where_the_policy_wants_it_alone() {
    let first = |wanted: bool, charging| {
        let policy = json!({"immediate_message_when_payer_present": wanted});
        let policy = RetryPolicy::from_json(&policy).unwrap();
        kinds(&policy, Category::UpiDeclined, charging)[0]
    };
    assert_eq!(first(true, false), (AttemptKind::Message, 0));
    assert_eq!(first(false, false), (AttemptKind::Message, 3_600));
    assert_eq!(first(true, true), (AttemptKind::Charge, 3_600));
}
