//! What a policy never does, and where it stops.

use super::*;
use crate::experiment::VariantName;

fn why_given_up(plan: Plan) -> String {
    match plan {
        Plan::GiveUp { why } => why,
        other => panic!("expected to give up, got {other:?}"),
    }
}

#[test]
fn a_category_that_is_never_acted_on_ends_at_once() {
    let policy = json!({"never_act_on": ["issuer_decline"]});
    let why = why_given_up(case("do_not_honor").plan(&policy, noon()));
    assert_eq!(
        why,
        "Payment declined by the issuer: the policy never acts on this"
    );
    let other = case("insufficient_funds").plan(&policy, noon());
    assert!(matches!(other, Plan::Act(_)));
}

#[test]
fn a_link_that_was_sent_may_be_used_though_the_policy_stops() {
    let written = noon() + TimeDelta::hours(1);
    let policy = json!({"never_act_on": ["insufficient_funds"]});
    let plan = case("insufficient_funds")
        .after(AttemptKind::Message, AttemptState::Succeeded, written)
        .plan(&policy, written);
    assert!(matches!(plan, Plan::Wait { until, .. } if until == written + TimeDelta::hours(24)));
}

#[test]
fn small_amounts_are_left_alone_in_their_currency() {
    let least = |minor: i64, currency: &str| {
        let policy = json!({"minimum_amounts": [{"minor": minor, "currency": currency}]});
        case("insufficient_funds").plan(&policy, noon())
    };
    assert_eq!(
        why_given_up(least(129_951, "INR")),
        "Payment declined for insufficient funds: the policy acts on amounts from 1299.51 INR on"
    );
    assert!(matches!(least(129_950, "INR"), Plan::Act(_)));
    assert!(matches!(least(999_999, "EUR"), Plan::Act(_)));
}

#[test]
fn no_more_charges_and_messages_than_the_policy_allows_of_each() {
    let policy =
        json!({"max_retries": 6, "most_charges": 1, "most_messages": 1, "silent_charges": 2});
    let charged =
        case("insufficient_funds").after(AttemptKind::Charge, AttemptState::Declined, noon());
    let decision = charged.decide(&policy, noon());
    let step = charged.step(&policy, noon());
    assert_eq!(step.kind, AttemptKind::Message);
    assert!(matches!(
        &decision.considered[0].outcome,
        Outcome::Skipped { rule, words } if rule == "most_charges" && words == "the policy allows no more charges"
    ));
    let both = charged.after(AttemptKind::Message, AttemptState::Succeeded, noon());
    let Plan::Wait { why, .. } = both.plan(&policy, noon()) else {
        panic!("expected to wait");
    };
    assert!(why.contains("the policy allows no more"), "{why}");
}

#[test]
fn messages_keep_the_policys_gap() {
    let policy = json!({"jitter_percent": 0, "least_message_gap_seconds": 172_800});
    let written = noon();
    let case = case("expired_card").after(AttemptKind::Message, AttemptState::Succeeded, written);
    let step = case.step(&policy, written);
    assert_eq!(step.due_at, written + TimeDelta::days(2));
    assert!(
        step.why
            .ends_with("moved to Sat 12:00 Asia/Kolkata: the payer was written to not long before"),
        "{}",
        step.why
    );
}

#[test]
fn what_is_held_out_waits_until_the_recoverys_end() {
    let mut held = case("insufficient_funds");
    held.facts.assignment.hold_out = true;
    let decision = held.decide(&json!({}), noon());
    assert_eq!(
        decision.plan,
        Plan::Wait {
            until: noon() + TimeDelta::days(14),
            why: "Held out of the policy's experiment: watched until the recovery's end, and never acted on".to_owned(),
        }
    );
    assert!(decision.considered.is_empty());
}

#[test]
fn a_variant_is_planned_by_its_changed_fields() {
    let policy = RetryPolicy::from_json(&json!({
        "jitter_percent": 0,
        "experiment": {"key": "spring", "variants": [
            {"name": "patient", "weight": 5_000, "changes": {"initial_delay_seconds": 7_200}},
        ]},
    }))
    .unwrap();
    let case = case("insufficient_funds");
    let due = |name: Option<&str>| {
        let name = name.map(|name| VariantName::parse(name).unwrap());
        let policy = policy.of_variant(name.as_ref()).unwrap();
        match decide(&policy, case.pack, &case.facts).plan {
            Plan::Act(step) => step.due_at,
            other => panic!("expected a step, got {other:?}"),
        }
    };
    assert_eq!(due(None), noon() + TimeDelta::hours(1));
    assert_eq!(due(Some("patient")), noon() + TimeDelta::hours(2));
}
