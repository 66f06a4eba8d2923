use super::*;
use crate::schedule::simulation::any_world;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_recovery_played_ahead_ends_in_order_and_the_same_each_time(world in any_world()) {
        let (policy, pack, facts) = world.opening();
        let played = play(&policy, pack, facts.clone());
        prop_assert_eq!(&played, &play(&policy, pack, facts.clone()));
        prop_assert!(!matches!(played.end, Plan::Act(_)));
        let due: Vec<_> = played.steps.iter().map(|it| it.step.due_at).collect();
        prop_assert!(due.is_sorted());
        prop_assert!(due.iter().all(|at| *at >= facts.now && *at < policy.closes_at(facts.opened_at)));
        let charges = played.steps.iter().filter(|it| it.step.kind == AttemptKind::Charge).count();
        prop_assert_eq!(played.tries.len(), facts.tries.len() + charges);
    }
}
