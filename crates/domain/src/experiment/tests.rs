use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;

/// The first units of a fixed sequence.
fn units(count: u64) -> impl Iterator<Item = TransactionId> {
    (0..count).map(|n| {
        let digest = Sha256::digest(n.to_be_bytes());
        let bytes: [u8; 16] = digest[..16].try_into().unwrap();
        TransactionId::from_uuid(Uuid::from_bytes(bytes))
    })
}

fn policy(hold_out: u32, weights: &[(&str, u32)]) -> RetryPolicy {
    let variants: Vec<Value> = weights
        .iter()
        .map(|(name, weight)| json!({"name": name, "weight": weight}))
        .collect();
    RetryPolicy::from_json(&json!({
        "experiment": {"key": "spring", "hold_out": hold_out, "variants": variants},
    }))
    .unwrap()
}

fn arm(assignment: &Assignment) -> &str {
    match &assignment.variant {
        _ if assignment.hold_out => "hold_out",
        Some(name) => name.as_str(),
        None => "base",
    }
}

/// How many of the units are in each arm under one policy and another.
fn moved(from: &RetryPolicy, to: &RetryPolicy, count: u64) -> Vec<(String, String)> {
    units(count)
        .map(|unit| {
            let (before, after) = (assign(from, unit), assign(to, unit));
            (arm(&before).to_owned(), arm(&after).to_owned())
        })
        .filter(|(before, after)| before != after)
        .collect()
}

#[test]
fn a_unit_keeps_its_arm_for_ever() {
    let policy = policy(1_000, &[("eager", 3_000), ("patient", 3_000)]);
    let arms: Vec<_> = units(12).map(|unit| assign(&policy, unit)).collect();
    let names: Vec<_> = arms.iter().map(arm).collect();
    // Written down once: a release that deals otherwise would move every open recovery.
    insta::assert_json_snapshot!(names);
    assert!(units(12).map(|unit| assign(&policy, unit)).eq(arms));
}

#[test]
fn weights_are_met_over_a_hundred_thousand_units() {
    const COUNT: u32 = 100_000;
    let policy = policy(500, &[("eager", 2_500), ("patient", 1_234)]);
    let mut counts = std::collections::BTreeMap::new();
    for unit in units(u64::from(COUNT)) {
        let arm = arm(&assign(&policy, unit)).to_owned();
        *counts.entry(arm).or_insert(0i64) += 1;
    }
    for (arm, weight) in [
        ("hold_out", 500),
        ("eager", 2_500),
        ("patient", 1_234),
        ("base", 5_766),
    ] {
        let expected = i64::from(COUNT * weight / 10_000);
        let off = counts[arm] - expected;
        // Five standard deviations: a fair deal is further off once in two million.
        let variance = expected * i64::from(10_000 - weight) / 10_000;
        assert!(
            off * off <= 25 * variance,
            "{arm}: {} of {expected}",
            counts[arm]
        );
    }
}

#[test]
fn changing_weights_moves_only_what_must_move() {
    let from = policy(1_000, &[("eager", 2_000), ("patient", 3_000)]);
    let only = |to: RetryPolicy, allowed: &[(&str, &str)], share: usize| {
        let moved = moved(&from, &to, 20_000);
        for (before, after) in &moved {
            assert!(allowed.contains(&(before, after)), "{before} to {after}");
        }
        let expected = 20_000 * share / 10_000;
        assert!(
            moved.len().abs_diff(expected) < expected / 5,
            "{} moved",
            moved.len()
        );
    };
    let more_hold_out = policy(1_500, &[("eager", 2_000), ("patient", 3_000)]);
    only(more_hold_out, &[("base", "hold_out")], 500);
    let more_patient = policy(1_000, &[("eager", 2_000), ("patient", 3_500)]);
    only(more_patient, &[("base", "patient")], 500);
    let another = policy(
        1_000,
        &[("eager", 2_000), ("patient", 3_000), ("kind", 700)],
    );
    only(another, &[("base", "kind")], 700);
    let shifted = policy(1_000, &[("eager", 2_600), ("patient", 2_400)]);
    only(shifted, &[("patient", "eager")], 600);
}

#[test]
fn the_hold_out_does_not_depend_on_the_variants() {
    let held = |policy: &RetryPolicy| -> Vec<bool> {
        units(5_000)
            .map(|unit| assign(policy, unit).hold_out)
            .collect()
    };
    let one = held(&policy(800, &[("eager", 2_000), ("patient", 3_000)]));
    assert_eq!(
        one,
        held(&policy(800, &[("patient", 3_000), ("eager", 2_000)]))
    );
    assert_eq!(one, held(&policy(800, &[])));
    assert!(one.contains(&true));
}

#[test]
fn another_key_deals_anew_and_without_an_experiment_all_follow_the_policy() {
    let mut document = policy(0, &[("eager", 5_000)]).document().clone();
    let before = RetryPolicy::from_document(document.clone()).unwrap();
    document.experiment.as_mut().unwrap().key = "summer".to_owned();
    let after = RetryPolicy::from_document(document).unwrap();
    let moved = moved(&before, &after, 4_000).len();
    assert!((1_800..2_200).contains(&moved), "{moved}");
    let plain = RetryPolicy::default();
    assert!(units(9).all(|unit| assign(&plain, unit) == Assignment::default()));
}

#[test]
fn a_border_belongs_to_who_comes_after_it() {
    // Each of the units' buckets is the border of an arm that ends there.
    for unit in units(50) {
        let bucket = bucket("spring", unit);
        let assigned = assign(
            &policy(0, &[("below", bucket), ("above", 10_000 - bucket)]),
            unit,
        );
        assert_eq!(arm(&assigned), "above");
        let last = assign(&policy(0, &[("below", bucket + 1)]), unit);
        assert_eq!(arm(&last), "below");
        assert_eq!(
            arm(&assign(&policy(10_000 - bucket, &[]), unit)),
            "hold_out"
        );
        assert_eq!(arm(&assign(&policy(9_999 - bucket, &[]), unit)), "base");
    }
}

#[test]
fn names_are_words() {
    let longest = "x".repeat(64);
    for name in ["a", "Kind_2-b", &longest] {
        assert_eq!(VariantName::parse(name).unwrap().as_str(), name);
    }
    for name in ["", "hold_out", "two words", "ä", &"x".repeat(65)] {
        assert_eq!(VariantName::parse(name), Err(InvalidVariantName), "{name}");
    }
}

proptest! {
    #[test]
    fn every_bucket_is_one(key in ".{0,20}", bytes: [u8; 16]) {
        let unit = TransactionId::from_uuid(Uuid::from_bytes(bytes));
        prop_assert!(bucket(&key, unit) < BASIS_POINTS);
    }

    #[test]
    fn whoever_has_all_the_weight_gets_all(bytes: [u8; 16]) {
        let unit = TransactionId::from_uuid(Uuid::from_bytes(bytes));
        let assigned = assign(&policy(0, &[("only", 10_000)]), unit);
        prop_assert_eq!(arm(&assigned), "only");
        let assigned = assign(&policy(10_000, &[]), unit);
        prop_assert_eq!(arm(&assigned), "hold_out");
    }
}
