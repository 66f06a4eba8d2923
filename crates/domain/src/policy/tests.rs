use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::classification::Category;
use crate::limits::Rail;
use crate::state::{AttemptKind, Channel};

mod limits;
mod variants;

fn fault(document: &Value) -> String {
    RetryPolicy::from_json(document).unwrap_err().to_string()
}

fn kinds(policy: &RetryPolicy, category: Category, charging: bool) -> Vec<(AttemptKind, i64)> {
    let moves = policy.moves(category, Rail::Card, charging);
    moves
        .iter()
        .map(|next| (next.kind, next.delay.num_seconds()))
        .collect()
}

#[test]
fn an_empty_document_is_the_contracts_default() {
    let policy = RetryPolicy::from_json(&json!({})).unwrap();
    assert_eq!(policy, RetryPolicy::default());
    let fields = policy.to_contract();
    assert_eq!(fields.max_retries, 3);
    assert_eq!(
        (
            fields.initial_delay_minutes,
            fields.backoff_multiplier,
            fields.max_delay_minutes
        ),
        (60, 2, 1_440)
    );
    assert_eq!(fields.enabled_channels, ["email"]);
    assert_eq!(
        RetryPolicy::from_contract(&ContractFields::default()).unwrap(),
        policy
    );
}

#[test]
fn delays_double_up_to_the_longest() {
    let policy = RetryPolicy::default();
    let hours: Vec<_> = (0..7).map(|k| policy.base_delay(k).num_hours()).collect();
    assert_eq!(hours, [1, 2, 4, 8, 16, 24, 24]);
    assert_eq!(policy.base_delay(u32::MAX).num_hours(), 24);
}

fn assert_faults(wrong: &[(Value, &str)]) {
    for (document, wanted) in wrong {
        let fault = fault(document);
        assert!(fault.starts_with(wanted), "{document}: {fault}");
    }
}

#[test]
fn faults_name_their_field() {
    assert_faults(&[
        (
            json!({"max_retries": 21}),
            "max_retries: must be from 0 to 20",
        ),
        (json!({"name": " "}), "name: must have 1 to 128 characters"),
        (
            json!({"enabled_channels": ["email", "email"]}),
            "enabled_channels: names a channel twice",
        ),
        (
            json!({"enabled_channels": ["fax"]}),
            "enabled_channels[0]: unknown variant `fax`",
        ),
        (json!({"retries": 3}), "retries: unknown field `retries`"),
        (json!({"steps": []}), "steps: has no step"),
        (
            json!({"max_retries": 1, "steps": [{"delay_seconds": 1, "action": "charge_and_message"}]}),
            "steps: takes 2",
        ),
        (
            json!({"steps": [{"delay_seconds": 1, "action": "message", "channels": ["sms"]}]}),
            "steps[0].channels",
        ),
        (
            json!({"overrides": {"expired_card": [{"delay_seconds": 1, "action": "charge", "channels": ["email"]}]}}),
            "overrides.expired_card[0].channels",
        ),
        (
            json!({"quiet_hours": {"sms": {"from": "22:00", "until": "08:00"}}}),
            "quiet_hours.sms: `from`",
        ),
        (
            json!({"quiet_hours": {"sms": {"from": "07:00", "until": "20:00"}}}),
            "quiet_hours.sms: must lie within 08:00 to 21:00",
        ),
        (
            json!({"quiet_hours": {"sms": {"from": "08:00", "until": "12:00"}, "whatsapp": {"from": "11:30", "until": "21:00"}}}),
            "quiet_hours: SMS and WhatsApp",
        ),
        (
            json!({"quiet_hours": {"sms": {"from": "8", "until": "12:00"}}}),
            "quiet_hours.sms.from: expected a time of day",
        ),
    ]);
}

#[test]
fn faults_of_hours_and_rails_name_their_field() {
    assert_faults(&[
        (
            json!({"quiet_hours": {"email": {"from": "21:00", "until": "23:00"}}}),
            "quiet_hours.email: email must share",
        ),
        (
            json!({"best_charge_hours": {"from": "10:00", "until": "10:59"}}),
            "best_charge_hours: must have at least 60 minutes",
        ),
        (
            json!({"best_charge_hours": {"from": "10:00", "until": "09:00"}}),
            "best_charge_hours: `from`",
        ),
        (
            json!({"rail_overrides": {"card": []}}),
            "rail_overrides.card: has no step",
        ),
    ]);
}

#[test]
fn faults_of_pay_days_and_week_ends_name_their_field() {
    assert_faults(&[
        (
            json!({"pay_days": {"month_days": [0]}}),
            "pay_days.month_days[0]: expected a day of the month",
        ),
        (
            json!({"pay_days": {"month_days": ["first"]}}),
            "pay_days.month_days[0]: expected a day of the month",
        ),
        (
            json!({"pay_days": {"month_days": [1.5]}}),
            "pay_days.month_days[0]: expected a day of the month",
        ),
        (
            json!({"pay_days": {"month_days": [31, "last"]}}),
            "pay_days.month_days: names one twice",
        ),
        (
            json!({"pay_days": {"month_days": [], "weekdays": []}}),
            "pay_days: must name a day",
        ),
        (
            json!({"pay_days": {"within_days": 32}}),
            "pay_days.within_days: must be from 1 to 31",
        ),
        (
            json!({"pay_days": {"weekdays": ["Someday"]}}),
            "pay_days.weekdays[0]",
        ),
        (
            json!({"pay_days": {"categories": ["unknown", "unknown"]}}),
            "pay_days.categories: names one twice",
        ),
        (
            json!({"weekends": {"days": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]}}),
            "weekends.days: must leave a working day",
        ),
    ]);
}

#[test]
fn faults_of_stops_name_their_field() {
    assert_faults(&[
        (
            json!({"least_message_gap_seconds": 2_592_001}),
            "least_message_gap_seconds: must be from 0 to 2592000",
        ),
        (
            json!({"pending_wait_seconds": 432_001}),
            "pending_wait_seconds: must be from 0 to 432000",
        ),
        (
            json!({"most_messages": 21}),
            "most_messages: must be from 0 to 20",
        ),
        (
            json!({"most_charges": 21}),
            "most_charges: must be from 0 to 20",
        ),
        (
            json!({"never_act_on": ["unknown", "unknown"]}),
            "never_act_on: names one twice",
        ),
        (
            json!({"minimum_amounts": [{"minor": 1, "currency": "EUR"}, {"minor": 2, "currency": "EUR"}]}),
            "minimum_amounts: names one twice",
        ),
        (
            json!({"minimum_amounts": [{"minor": 0, "currency": "EUR"}]}),
            "minimum_amounts[0]: an amount must be above zero",
        ),
        (
            json!({"final_action": "sue"}),
            "final_action: unknown variant `sue`",
        ),
    ]);
}

#[test]
fn the_contracts_fields_are_checked_by_their_own_names() {
    let with = |change: fn(&mut ContractFields)| {
        let mut fields = ContractFields::default();
        change(&mut fields);
        RetryPolicy::from_contract(&fields).map_err(|error| error.field)
    };
    assert_eq!(
        with(|fields| fields.max_retries = 11),
        Err("max_retries".to_owned())
    );
    assert_eq!(
        with(|fields| fields.max_retries = -1),
        Err("max_retries".to_owned())
    );
    assert_eq!(
        with(|fields| fields.initial_delay_minutes = 0),
        Err("initial_delay_minutes".to_owned())
    );
    assert_eq!(
        with(|fields| fields.backoff_multiplier = 6),
        Err("backoff_multiplier".to_owned())
    );
    assert_eq!(
        with(|fields| fields.max_delay_minutes = 59),
        Err("max_delay_minutes".to_owned())
    );
    assert_eq!(
        with(|fields| fields.enabled_channels = vec!["fax".to_owned()]),
        Err("enabled_channels[0]".to_owned())
    );
    assert!(with(|fields| fields.enabled_channels = vec!["SMS".to_owned()]).is_ok());
}

#[test]
fn silent_charges_come_first_then_messages_and_charges_in_turn() {
    use AttemptKind::{Charge, Message};
    let policy = RetryPolicy::from_json(&json!({"max_retries": 5, "silent_charges": 2})).unwrap();
    let soft: Vec<_> = kinds(&policy, Category::InsufficientFunds, true)
        .iter()
        .map(|(kind, _)| *kind)
        .collect();
    assert_eq!(soft, [Charge, Charge, Message, Charge, Message]);
}

#[test]
fn without_charges_messages_remain_and_a_present_payer_hears_at_once() {
    use AttemptKind::Message;
    let policy = RetryPolicy::default();
    let (hour, now) = (3_600, 0);
    assert_eq!(
        kinds(&policy, Category::ExpiredCard, false),
        [(Message, now), (Message, hour), (Message, 2 * hour)]
    );
    assert_eq!(
        kinds(&policy, Category::DoNotRetry, false),
        [(Message, hour), (Message, 2 * hour), (Message, 4 * hour)]
    );
}

#[test]
fn an_override_wins_over_steps_and_steps_over_delays() {
    use AttemptKind::{Charge, Message};
    let policy = RetryPolicy::from_json(&json!({
        "max_retries": 4,
        "enabled_channels": ["email", "sms"],
        "steps": [{"delay_seconds": 1, "action": "charge"}, {"delay_seconds": 2, "action": "charge_and_message"}],
        "overrides": {"expired_card": [{"delay_seconds": 9, "action": "message", "channels": ["sms"]}]},
    }))
    .unwrap();
    assert_eq!(
        kinds(&policy, Category::InsufficientFunds, true),
        [(Charge, 1), (Charge, 2), (Message, 0)]
    );
    assert_eq!(
        kinds(&policy, Category::InsufficientFunds, false),
        [(Message, 2)]
    );
    assert_eq!(kinds(&policy, Category::ExpiredCard, false), [(Message, 9)]);
    assert_eq!(
        policy.moves(Category::ExpiredCard, Rail::Card, false)[0].channels,
        [Channel::Sms]
    );
}

#[test]
fn a_document_of_before_these_fields_reads_as_what_it_meant() {
    let stored = json!({
        "name": "Brisk", "max_retries": 2, "initial_delay_seconds": 300, "backoff_multiplier": 2,
        "max_delay_seconds": 86_400, "enabled_channels": ["email", "sms"], "jitter_percent": 10,
        "silent_charges": 1, "stop_after_seconds": 1_209_600, "link_ttl_seconds": 86_400,
        "quiet_hours": {
            "enabled": true,
            "sms": {"from": "08:00", "until": "21:00"},
            "whatsapp": {"from": "08:00", "until": "21:00"},
        },
        "immediate_message_when_payer_present": true,
    });
    let document = RetryPolicy::from_json(&stored).unwrap().document().clone();
    assert!(!document.pay_days.enabled && document.best_charge_hours.is_none());
    assert!(!document.weekends.avoid_charges && !document.weekends.avoid_messages);
    assert_eq!(document.least_message_gap_seconds, 0);
    assert_eq!(
        (document.most_charges, document.most_messages),
        (None, None)
    );
    assert_eq!(document.final_action, FinalAction::None);
}

proptest! {
    #[test]
    fn a_policy_survives_its_document(policy in crate::schedule::simulation::any_policy()) {
        prop_assert_eq!(RetryPolicy::from_json(&policy.to_json()), Ok(policy));
    }

    #[test]
    fn a_contract_in_range_is_taken_and_given_back(
        max_retries in 0i64..=10, initial in 1i64..=1_440, multiplier in 1i64..=5, max in 60i64..=10_080,
    ) {
        let fields = ContractFields {
            name: "A".to_owned(), max_retries, initial_delay_minutes: initial, backoff_multiplier: multiplier,
            max_delay_minutes: max, enabled_channels: vec!["whatsapp".to_owned()],
        };
        prop_assert_eq!(RetryPolicy::from_contract(&fields).unwrap().to_contract(), fields);
    }

    #[test]
    fn a_random_document_is_an_answer_not_a_panic(
        name in ".{0,9}", retries: u32, delay: u32, most: u32, stop: u32, jitter: u32,
    ) {
        let document = json!({
            "name": name, "max_retries": retries, "initial_delay_seconds": delay, "max_delay_seconds": most,
            "stop_after_seconds": stop, "jitter_percent": jitter,
            "steps": [{"delay_seconds": delay, "action": "message"}],
        });
        let _ = RetryPolicy::from_json(&document);
    }
}
