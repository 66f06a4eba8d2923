//! Experiments, and what their variants change.

use super::*;

fn experiment(variants: &Value) -> Value {
    json!({"initial_delay_seconds": 60, "experiment": {"key": "spring", "hold_out": 1_000, "variants": variants}})
}

#[test]
fn faults_of_an_experiment_name_their_field() {
    assert_faults(&[
        (
            json!({"experiment": {"key": " "}}),
            "experiment.key: must have 1 to 64 characters",
        ),
        (
            experiment(&json!([{"name": "a", "weight": 9_001}])),
            "experiment: gives 10001 basis points",
        ),
        (
            experiment(&json!([{"name": "a", "weight": 1}, {"name": "a", "weight": 1}])),
            "experiment.variants[1].name: a is the name of an earlier variant",
        ),
        (
            experiment(&json!([{"name": "hold_out", "weight": 1}])),
            "experiment.variants[0].name: expected 1 to 64",
        ),
        (
            experiment(&json!([{"name": "a", "weight": 1, "changes": {"name": "B"}}])),
            "experiment.variants[0].changes.name: cannot be changed",
        ),
        (
            experiment(&json!([{"name": "a", "weight": 1, "changes": {"experiment": null}}])),
            "experiment.variants[0].changes.experiment: cannot be changed",
        ),
        (
            experiment(&json!([{"name": "a", "weight": 1, "changes": {"jitter_percent": 51}}])),
            "experiment.variants[0].changes.jitter_percent: must be from 0 to 50",
        ),
        (
            experiment(&json!([{"name": "a", "weight": 1, "changes": {"jitter": 1}}])),
            "experiment.variants[0].changes.jitter: unknown field",
        ),
        (
            experiment(
                &json!([{"name": "a", "weight": 1, "changes": {"quiet_hours": {"sms": {"from": "07:00"}}}}]),
            ),
            "experiment.variants[0].changes.quiet_hours.sms: must lie within",
        ),
    ]);
    let many: Vec<_> = (0..17)
        .map(|n| json!({"name": format!("v{n}"), "weight": 1}))
        .collect();
    assert!(fault(&experiment(&json!(many))).starts_with("experiment.variants: has more than 16"));
}

#[test]
fn a_variant_changes_fields_within_fields_and_null_sets_one_back() {
    let mut document = experiment(&json!([{"name": "late", "weight": 9_000, "changes": {
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
