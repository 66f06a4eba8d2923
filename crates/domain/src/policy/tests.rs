use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::classification::Category;
use crate::limits::Rail;
use crate::state::{AttemptKind, Channel};

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

#[test]
fn faults_name_their_field() {
    for (document, field) in [
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
    ] {
        let fault = fault(&document);
        assert!(fault.starts_with(field), "{document}: {fault}");
    }
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

fn experiment(variants: Value) -> Value {
    json!({"initial_delay_seconds": 60, "experiment": {"key": "spring", "hold_out": 1_000, "variants": variants}})
}

#[test]
fn faults_of_an_experiment_name_their_field() {
    for (document, wanted) in [
        (
            json!({"experiment": {"key": " "}}),
            "experiment.key: must have 1 to 64 characters",
        ),
        (
            experiment(json!([{"name": "a", "weight": 9_001}])),
            "experiment: gives 10001 basis points",
        ),
        (
            experiment(json!([{"name": "a", "weight": 1}, {"name": "a", "weight": 1}])),
            "experiment.variants[1].name: a is the name of an earlier variant",
        ),
        (
            experiment(json!([{"name": "hold_out", "weight": 1}])),
            "experiment.variants[0].name: expected 1 to 64",
        ),
        (
            experiment(json!([{"name": "a", "weight": 1, "changes": {"name": "B"}}])),
            "experiment.variants[0].changes.name: cannot be changed",
        ),
        (
            experiment(json!([{"name": "a", "weight": 1, "changes": {"experiment": null}}])),
            "experiment.variants[0].changes.experiment: cannot be changed",
        ),
        (
            experiment(json!([{"name": "a", "weight": 1, "changes": {"jitter_percent": 51}}])),
            "experiment.variants[0].changes.jitter_percent: must be from 0 to 50",
        ),
        (
            experiment(json!([{"name": "a", "weight": 1, "changes": {"jitter": 1}}])),
            "experiment.variants[0].changes.jitter: unknown field",
        ),
        (
            experiment(
                json!([{"name": "a", "weight": 1, "changes": {"quiet_hours": {"sms": {"from": "07:00"}}}}]),
            ),
            "experiment.variants[0].changes.quiet_hours.sms: must lie within",
        ),
    ] {
        let fault = fault(&document);
        assert!(fault.starts_with(wanted), "{document}: {fault}");
    }
    let many: Vec<_> = (0..17)
        .map(|n| json!({"name": format!("v{n}"), "weight": 1}))
        .collect();
    assert!(fault(&experiment(json!(many))).starts_with("experiment.variants: has more than 16"));
}

#[test]
fn a_variant_changes_fields_within_fields_and_null_sets_one_back() {
    let mut document = experiment(json!([{"name": "late", "weight": 9_000, "changes": {
        "quiet_hours": {"sms": {"from": "10:00"}}, "initial_delay_seconds": null, "max_retries": 5,
    }}]));
    document["quiet_hours"] = json!({"sms": {"from": "09:00", "until": "20:00"}, "enabled": false});
    let base = RetryPolicy::from_json(&document).unwrap();
    let late = crate::experiment::VariantName::parse("late").unwrap();
    let followed = base.of_variant(Some(&late)).unwrap();
    let hours = followed.document().quiet_hours;
    assert_eq!(hours.sms.from.to_string(), "10:00");
    assert_eq!(
        (hours.sms.until.to_string(), hours.enabled),
        ("20:00".to_owned(), false)
    );
    assert_eq!(followed.document().initial_delay_seconds, 3_600);
    assert_eq!(followed.document().max_retries, 5);

    let stands = base.of_variant(None).unwrap();
    assert_eq!(stands.document().experiment, None);
    assert_eq!(stands.document().initial_delay_seconds, 60);
    let other = crate::experiment::VariantName::parse("other").unwrap();
    let error = base.of_variant(Some(&other)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "experiment.variants: has no variant of the name other"
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
