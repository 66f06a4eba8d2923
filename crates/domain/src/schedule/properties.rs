//! The rules that no plan may break, tried on random recoveries.

use chrono::TimeDelta;
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::simulation::{Planned, any_world};
use super::*;
use crate::classification::Hardness;
use crate::limits::{CardNetwork, LegacyCeiling, Tried, earliest_charge};
use crate::state::Channel;

fn hard_so_far(planned: &Planned) -> bool {
    !planned.classification.charge_allowed
        || planned.classification.hardness == Hardness::Hard
        || planned.before.iter().any(|past| {
            past.decline
                .is_some_and(|why| why.hardness == Hardness::Hard)
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_charged_that_must_not_be(world in any_world()) {
        for planned in world.play().0 {
            if planned.step.kind == AttemptKind::Charge {
                prop_assert!(!hard_so_far(&planned) && world.can_charge);
                let cooldown = planned.classification.cooldown.unwrap_or_default();
                prop_assert!(planned.step.due_at >= planned.failed_at + cooldown);
            }
            prop_assert!(planned.classification.contact != Contact::None);
        }
    }

    #[test]
    fn steps_come_in_order_in_time_and_in_number(world in any_world()) {
        let (steps, end) = world.play();
        let closes = closes_at(&world.policy, world.start);
        let most = usize::try_from(world.policy.document().max_retries).unwrap();
        prop_assert!(steps.len() <= most);
        for (index, planned) in steps.iter().enumerate() {
            prop_assert_eq!(usize::try_from(planned.step.number).unwrap(), index + 1);
            prop_assert!(planned.step.due_at >= planned.now && planned.step.due_at < closes);
            prop_assert!(planned.before.iter().all(|past| past.at <= planned.step.due_at));
            prop_assert!(!planned.step.why.is_empty());
        }
        if let Plan::Wait { until, .. } = end {
            prop_assert!(until <= closes);
        }
    }

    #[test]
    fn phones_stay_silent_at_night_and_only_reachable_channels_are_used(world in any_world()) {
        let hours = world.policy.document().quiet_hours;
        for Planned { step, .. } in world.play().0 {
            prop_assert_eq!(step.kind == AttemptKind::Message, !step.channels.is_empty());
            for channel in &step.channels {
                prop_assert!(world.reachable.contains(channel));
                prop_assert!(world.policy.document().enabled_channels.contains(channel));
                // Written anew: the planner's own check is not asked.
                let clock = step.due_at.with_timezone(&world.zone).time();
                let window = match channel {
                    Channel::Email => continue,
                    Channel::Sms => hours.sms,
                    Channel::WhatsApp => hours.whatsapp,
                };
                let awake = window.from.time() <= clock && clock < window.until.time();
                prop_assert!(awake || !hours.enabled, "{} at {}", channel, clock);
            }
        }
    }

    #[test]
    fn no_network_ceiling_is_crossed(world in any_world()) {
        for planned in world.play().0 {
            if planned.step.kind == AttemptKind::Charge {
                let again: Vec<_> = planned.before.iter()
                    .filter(|past| past.kind == AttemptKind::Charge).map(|past| past.at).collect();
                let due = planned.step.due_at;
                let tried = Tried { network: world.network, first: world.start, again: &again, decline_code: None };
                prop_assert_eq!(earliest_charge(&tried, due), LegacyCeiling::Allowed);
                let within = |days| again.iter().filter(|at| **at > due - TimeDelta::days(days)).count();
                if world.network == Some(CardNetwork::Mastercard) {
                    prop_assert!(within(1) < 10 && within(30) < 35);
                }
                if world.network == Some(CardNetwork::Visa) {
                    prop_assert!(within(30) < 20);
                }
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_plan_and_the_amount_is_never_changed(world in any_world()) {
        let (first, second) = (world.play(), world.play());
        prop_assert_eq!(first.1, second.1);
        prop_assert_eq!(first.0.len(), second.0.len());
        for (a, b) in first.0.iter().zip(&second.0) {
            prop_assert_eq!(&a.step, &b.step);
            if a.step.kind == AttemptKind::Charge {
                let amount = format!("charge {} again", world.amount);
                prop_assert!(a.step.why.contains(&amount));
            }
        }
    }

    #[test]
    fn an_open_outcome_stops_all_planning(
        world in any_world(),
        open in prop::sample::select(vec![AttemptState::Scheduled, AttemptState::Claimed, AttemptState::InDoubt]),
        kind in prop::sample::select(AttemptKind::ALL),
    ) {
        let attempts = [PastAttempt { kind, state: open, at: world.start, decline: None }];
        let history = world.history(world.start, &world.failures[0], &attempts);
        let plan = next(&world.policy, &history, world.start, &mut StdRng::seed_from_u64(world.seed));
        prop_assert!(matches!(plan, Plan::Wait { .. }), "{:?}", plan);
    }
}
