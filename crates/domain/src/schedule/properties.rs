//! What no plan may do, tried on random policies, recoveries and clocks.
//!
//! The rules of networks, rails and laws are stated anew in `rulebook.rs`, and
//! the policy's in `fences.rs`: the planner's own functions are not asked.

mod asked;
mod fences;
mod rulebook;

use proptest::prelude::*;

use super::simulation::{Planned, Played, World, any_policy, any_world};
use super::*;
use crate::classification::Hardness;
use crate::limits::TriedBy;

/// As many worlds as this, unless `PROPTEST_CASES` says otherwise: `scripts/mutants`
/// asks for few.
fn tried(cases: u32) -> ProptestConfig {
    let said = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() {
        said.cases
    } else {
        cases
    };
    ProptestConfig { cases, ..said }
}

fn hard_so_far(facts: &Facts) -> bool {
    !facts.failure.charge_allowed
        || facts.failure.hardness == Hardness::Hard
        || facts.attempts.iter().any(|past| {
            past.decline
                .is_some_and(|why| why.hardness == Hardness::Hard)
        })
}

fn charges(played: &Played) -> impl Iterator<Item = &Planned> {
    played
        .steps
        .iter()
        .filter(|planned| planned.step.kind == AttemptKind::Charge)
}

proptest! {
    #![proptest_config(tried(2_000))]

    #[test]
    fn no_rule_of_a_network_a_rail_or_a_law_is_broken(world in any_world()) {
        for Planned { facts, step, .. } in world.play().steps {
            let broken = rulebook::broken(world.pack.id(), &facts, &step);
            prop_assert_eq!(broken, None, "{:?}", step);
        }
    }

    #[test]
    fn nothing_is_charged_that_must_not_be(world in any_world()) {
        let played = world.play();
        for Planned { facts, step, .. } in charges(&played) {
            prop_assert!(!hard_so_far(facts) && facts.can_charge);
            prop_assert!(step.due_at >= facts.failure.at + facts.failure.cooldown());
        }
        for Planned { facts, .. } in &played.steps {
            prop_assert!(facts.failure.contact != Contact::None);
        }
    }

    #[test]
    fn steps_come_in_order_in_time_and_in_number(world in any_world()) {
        let played = world.play();
        let closes = played.policy.closes_at(world.facts.opened_at);
        let most = usize::try_from(played.policy.document().max_retries).unwrap();
        prop_assert!(played.steps.len() <= most);
        for (index, Planned { facts, step, decision }) in played.steps.iter().enumerate() {
            prop_assert_eq!(usize::try_from(step.number).unwrap(), index + 1);
            prop_assert!(step.due_at >= facts.now && step.due_at < closes);
            prop_assert!(facts.attempts.iter().all(|past| past.at <= step.due_at));
            prop_assert_eq!(&step.why, &decision.words);
            prop_assert!(!step.why.is_empty());
        }
        if let Plan::Wait { until, .. } = played.end.plan {
            prop_assert!(until <= closes);
        }
    }

    #[test]
    fn no_fence_of_the_policy_is_crossed(world in any_world()) {
        let played = world.play();
        for planned in &played.steps {
            let crossed = fences::crossed(played.policy.document(), planned);
            prop_assert_eq!(crossed, None, "{:?}", planned.step);
        }
    }

    #[test]
    fn a_preference_is_followed_or_it_is_said_why_not(world in any_world()) {
        let played = world.play();
        for planned in &played.steps {
            let unexplained = fences::unexplained(played.policy.document(), planned);
            prop_assert_eq!(unexplained, None, "{:?}", planned.decision);
        }
    }

    #[test]
    fn the_same_facts_give_the_same_plan_and_the_amount_is_never_changed(world in any_world()) {
        let (first, second) = (world.play(), world.play());
        prop_assert_eq!(first.end, second.end);
        prop_assert_eq!(first.steps.len(), second.steps.len());
        for (a, b) in first.steps.iter().zip(&second.steps) {
            prop_assert_eq!(&a.decision, &b.decision);
            if a.step.kind == AttemptKind::Charge {
                let amount = format!("charge {} again", world.facts.amount);
                prop_assert!(a.step.why.contains(&amount));
            }
        }
    }

    #[test]
    fn every_decision_is_derived_again_from_its_record(world in any_world()) {
        let played = world.play();
        let steps = played.steps.into_iter().map(|planned| (planned.facts, planned.decision));
        for (facts, decision) in steps.chain([(played.last_facts, played.end)]) {
            let record = DecisionRecord::new(&played.policy, world.pack, facts, decision);
            let json = serde_json::to_value(&record).unwrap();
            let read: DecisionRecord = serde_json::from_str(&json.to_string()).unwrap();
            prop_assert_eq!(&read, &record);
            prop_assert_eq!(read.replay(), Ok(record.decision));
        }
    }

    #[test]
    fn what_is_held_out_is_never_acted_on(mut world in any_world()) {
        world.facts.assignment.hold_out = true;
        world.facts.assignment.variant = None;
        let played = world.play();
        prop_assert!(played.steps.is_empty());
        let closes = played.policy.closes_at(world.facts.opened_at);
        let waits = matches!(&played.end.plan, Plan::Wait { until, why }
            if *until == closes && why.starts_with("Held out"));
        prop_assert!(waits, "{:?}", played.end);
    }

    #[test]
    fn an_open_outcome_stops_all_planning(
        mut world in any_world(),
        open in prop::sample::select(vec![AttemptState::Scheduled, AttemptState::Claimed, AttemptState::InDoubt]),
        kind in prop::sample::select(AttemptKind::ALL),
    ) {
        world.facts.attempts = vec![PastAttempt { kind, state: open, at: world.facts.now, decline: None }];
        let decision = decide(&world.policy, world.pack, &world.facts);
        prop_assert!(matches!(decision.plan, Plan::Wait { .. }), "{:?}", decision);
    }

    #[test]
    fn a_ledger_that_misses_our_charges_is_completed(world in any_world()) {
        for Planned { mut facts, .. } in world.play().steps {
            let known = decide(&world.policy, world.pack, &facts);
            let opened_at = facts.opened_at;
            facts.tries.retain(|tried| tried.by != TriedBy::Us || tried.at < opened_at);
            prop_assert_eq!(decide(&world.policy, world.pack, &facts), known);
        }
    }

    #[test]
    fn every_variant_is_a_policy_that_can_be_followed(policy in any_policy()) {
        let variants = policy.document().experiment.iter().flat_map(|experiment| &experiment.variants);
        for variant in variants {
            let changed = policy.of_variant(Some(&variant.name)).unwrap();
            prop_assert!(changed.document().experiment.is_none());
            prop_assert_eq!(RetryPolicy::from_json(&changed.to_json()), Ok(changed));
        }
    }
}

/// Worlds are random: that they reach what the properties speak of is counted,
/// so that none of them holds only because nothing happens.
#[test]
fn the_worlds_played_reach_what_the_properties_speak_of() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut seen = std::collections::BTreeMap::<String, u32>::new();
    for _ in 0..3_000 {
        let world: World = any_world().new_tree(&mut runner).unwrap().current();
        let played = world.play();
        let all = played.steps.iter().map(|planned| &planned.decision);
        for decision in all.chain([&played.end]) {
            *seen.entry(decision.plan.outcome().to_owned()).or_default() += 1;
            for considered in &decision.considered {
                let what = match &considered.outcome {
                    Outcome::Taken { .. } => format!("taken {}", considered.kind),
                    Outcome::Moved { rule, .. } => format!("moved {rule}"),
                    Outcome::Narrowed { .. } => "narrowed".to_owned(),
                    Outcome::Yielded { rule, .. } => format!("yielded {rule}"),
                    Outcome::Skipped { rule, .. } => format!("skipped {rule}"),
                };
                *seen.entry(what).or_default() += 1;
            }
        }
    }
    for wanted in [
        "act",
        "wait",
        "give_up",
        "taken charge",
        "taken message",
        "narrowed",
        "moved cooldown",
        "moved pending_wait_seconds",
        "moved quiet_hours",
        "moved pay_days",
        "moved weekends",
        "moved best_charge_hours",
        "moved least_message_gap_seconds",
        "moved visa-reattempts",
        "moved mastercard-declines-a-day",
        "moved rbi-notice",
        "moved upi-autopay-windows",
        "moved india-hours",
        "yielded pay_days",
        "yielded weekends",
        "yielded best_charge_hours",
        "skipped rail",
        "skipped can_charge",
        "skipped hardness",
        "skipped most_charges",
        "skipped most_messages",
        "skipped stop_after_seconds",
        "skipped enabled_channels",
        "skipped rbi-authentication",
        "skipped visa-category-1",
        "skipped upi-autopay-retries",
    ] {
        assert!(
            seen.get(wanted).is_some_and(|count| *count >= 3),
            "{wanted}: {seen:#?}"
        );
    }
}
