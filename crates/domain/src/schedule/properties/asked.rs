//! A step that somebody asked for: sooner than the policy has it, never against a rule.

use chrono::TimeDelta;

use super::*;

proptest! {
    #![proptest_config(tried(1_000))]

    #[test]
    fn a_step_that_is_asked_for_breaks_no_rule_and_crosses_no_fence(
        world in any_world(),
        ahead in 0_i64..400,
    ) {
        let played = world.play();
        let closes = played.policy.closes_at(world.facts.opened_at);
        for Planned { facts, .. } in played.steps {
            let asked = facts.now + TimeDelta::hours(ahead);
            let facts = Facts { asked_for: Some(asked), ..facts };
            let decision = decide(&played.policy, world.pack, &facts);
            let Plan::Act(step) = decision.plan.clone() else { continue };
            prop_assert_eq!(rulebook::broken(world.pack.id(), &facts, &step), None, "{:?}", step);
            prop_assert!(step.due_at >= asked && step.due_at < closes);
            if step.kind == AttemptKind::Charge {
                prop_assert!(!hard_so_far(&facts) && facts.can_charge);
                prop_assert!(step.due_at >= facts.failure.at + facts.failure.cooldown());
            }
            let moved = decision.considered.iter().any(|weighed| {
                weighed.kind == step.kind && matches!(weighed.outcome, Outcome::Moved { .. })
            });
            let last = facts.attempts.iter().map(|past| past.at).max();
            let earliest = last.map_or(asked, |at| at.max(asked)).max(facts.failure.at);
            prop_assert!(step.due_at == earliest || moved, "it says why: {:?}", decision);
            let planned = Planned { facts: facts.clone(), step, decision: decision.clone() };
            let crossed = fences::crossed(played.policy.document(), &planned);
            prop_assert_eq!(crossed, None, "{:?}", planned.step);
            let record = DecisionRecord::new(&played.policy, world.pack, facts, decision.clone());
            let json = serde_json::to_string(&record).unwrap();
            let read: DecisionRecord = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(read.replay(), Ok(decision));
        }
    }

    #[test]
    fn what_is_held_out_is_not_acted_on_for_the_asking(mut world in any_world()) {
        world.facts.assignment.hold_out = true;
        world.facts.assignment.variant = None;
        world.facts.asked_for = Some(world.facts.now);
        let (policy, pack, facts) = world.opening();
        let decision = decide(&policy, pack, &facts);
        prop_assert!(matches!(decision.plan, Plan::Wait { .. }), "{:?}", decision);
    }
}
