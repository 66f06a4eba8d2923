//! Random policies, histories and clocks, whole recoveries played through:
//! no plan may break a rule that the module promises.
use std::collections::BTreeMap;

use chrono::TimeDelta;
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::classification::{FailureSource, Signals, TABLES, classify};
use crate::limits::{Ceiling, Tried, earliest_charge};
use crate::money::{Currency, MAX_MINOR};
use crate::policy::{LocalTime, PolicyDocument, QuietHours, SendingWindow, StepAction, StepRule};

fn any_channels() -> impl Strategy<Value = Vec<Channel>> {
    prop::sample::subsequence(Channel::ALL.to_vec(), 0..=Channel::ALL.len())
}

fn any_steps() -> impl Strategy<Value = Vec<StepRule>> {
    let step = (0u32..400_000, prop::sample::select(StepAction::ALL)).prop_map(
        |(delay_seconds, action)| StepRule {
            delay_seconds,
            action,
            channels: None,
        },
    );
    prop::collection::vec(step, 1..7)
}

fn any_window() -> impl Strategy<Value = SendingWindow> {
    (8u32..13, 14u32..22).prop_map(|(from, until)| SendingWindow {
        from: LocalTime::parse(&format!("{from:02}:00")).unwrap(),
        until: LocalTime::parse(&format!("{until:02}:00")).unwrap(),
    })
}

fn any_quiet_hours() -> impl Strategy<Value = QuietHours> {
    (prop::bool::weighted(0.9), any_window(), any_window()).prop_map(|(enabled, sms, whatsapp)| {
        QuietHours {
            enabled,
            sms,
            whatsapp,
        }
    })
}

/// Policies of every shape that the checks let through.
pub(crate) fn any_policy() -> impl Strategy<Value = RetryPolicy> {
    let delays = (0u32..200_000, 1u32..=5, 0u32..500_000, 0u32..=50);
    let shape = (
        12u32..=20,
        any_channels(),
        prop::option::of(any_steps()),
        0u8..5,
        any::<bool>(),
    );
    let overrides =
        prop::collection::btree_map(prop::sample::select(Category::ALL), any_steps(), 0..4);
    (
        delays,
        shape,
        overrides,
        1u32..3_000_000,
        any_quiet_hours(),
        prop::option::of(0u32..12),
    )
        .prop_map(
            |(
                (initial, multiplier, more, jitter),
                (most, channels, steps, silent, at_once),
                overrides,
                stop,
                quiet_hours,
                fewer,
            )| {
                let explicit = steps.is_some() || !overrides.is_empty();
                let document = PolicyDocument {
                    max_retries: fewer.filter(|_| !explicit).unwrap_or(most),
                    initial_delay_seconds: initial,
                    backoff_multiplier: multiplier,
                    max_delay_seconds: initial + more,
                    enabled_channels: channels,
                    jitter_percent: jitter,
                    steps,
                    overrides: overrides.into_iter().collect::<BTreeMap<_, _>>(),
                    silent_charges: silent,
                    stop_after_seconds: stop,
                    quiet_hours,
                    immediate_message_when_payer_present: at_once,
                    ..PolicyDocument::default()
                };
                RetryPolicy::from_document(document).unwrap()
            },
        )
}

/// Failures by every row of every table.
fn any_failure() -> impl Strategy<Value = Classification> {
    let rows: Vec<(&str, &str)> = TABLES
        .iter()
        .flat_map(|(table, rows)| rows.iter().map(move |row| (*table, row.code)))
        .collect();
    prop::sample::select(rows).prop_map(|(table, code)| {
        let code = Some(code);
        classify(&match table {
            "stripe" => Signals {
                code,
                ..Signals::new(FailureSource::Stripe)
            },
            "stripe_advice" => Signals {
                advice_code: code,
                ..Signals::new(FailureSource::Stripe)
            },
            "razorpay" => Signals {
                code,
                ..Signals::new(FailureSource::Razorpay)
            },
            "network" => Signals {
                network_decline_code: code,
                ..Signals::new(FailureSource::Stripe)
            },
            "mastercard_advice" => Signals {
                network_advice_code: code,
                ..Signals::new(FailureSource::Stripe)
            },
            _ => Signals {
                code,
                ..Signals::new(FailureSource::Api)
            },
        })
    })
}

/// Starts that lie around clock changes and leap days more often than chance has it.
fn any_start() -> impl Strategy<Value = DateTime<Utc>> {
    let edges = [
        "2026-03-08T06:00:00Z",
        "2026-11-01T05:00:00Z",
        "2026-03-29T00:30:00Z",
        "2026-10-25T00:30:00Z",
        "2028-02-28T20:00:00Z",
        "2028-02-29T12:00:00Z",
        "2011-12-29T20:00:00Z",
        "2025-04-30T23:00:00Z",
        "2026-10-24T23:30:00Z",
        "2026-12-31T23:59:59Z",
    ];
    let edge =
        (prop::sample::select(edges.to_vec()), -90_000i64..90_000).prop_map(|(edge, offset)| {
            edge.parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(offset)
        });
    let anywhere =
        (1_300_000_000i64..2_500_000_000).prop_map(|at| DateTime::from_timestamp(at, 0).unwrap());
    prop_oneof![edge, anywhere]
}

/// One recovery: where it starts, and what chance decides as it goes.
#[derive(Debug, Clone)]
struct World {
    policy: RetryPolicy,
    failures: Vec<Classification>,
    start: DateTime<Utc>,
    zone: Tz,
    network: Option<CardNetwork>,
    reachable: Vec<Channel>,
    can_charge: bool,
    amount: Money,
    seed: u64,
}

fn any_world() -> impl Strategy<Value = World> {
    let payer = (
        prop::sample::select(chrono_tz::TZ_VARIANTS.to_vec()),
        prop::option::of(prop::sample::select(CardNetwork::ALL)),
        any_channels(),
        prop::bool::weighted(0.8),
    );
    let failures = prop::collection::vec(any_failure(), 1..4);
    (
        any_policy(),
        failures,
        any_start(),
        payer,
        1..=MAX_MINOR,
        any::<u64>(),
    )
        .prop_map(
            |(policy, failures, start, (zone, network, reachable, can_charge), minor, seed)| {
                World {
                    policy,
                    failures,
                    start,
                    zone,
                    network,
                    reachable,
                    can_charge,
                    amount: Money::new(minor, Currency::parse("EUR").unwrap()).unwrap(),
                    seed,
                }
            },
        )
}

/// A step with the history that it was planned from.
struct Planned {
    step: Step,
    now: DateTime<Utc>,
    failed_at: DateTime<Utc>,
    classification: Classification,
    before: Vec<PastAttempt>,
}

impl World {
    fn history<'a>(
        &'a self,
        failed_at: DateTime<Utc>,
        classification: &'a Classification,
        attempts: &'a [PastAttempt],
    ) -> History<'a> {
        History {
            opened_at: self.start,
            failed_at,
            classification,
            attempts,
            reachable: &self.reachable,
            can_charge: self.can_charge,
            time_zone: self.zone,
            network: self.network,
            amount: self.amount,
        }
    }

    /// Plays the recovery to its end with every charge declined, each act late
    /// by chance, and gives every step with what it was planned from.
    fn play(&self) -> (Vec<Planned>, Plan) {
        let mut rng = StdRng::seed_from_u64(self.seed);
        let (mut attempts, mut planned) = (Vec::new(), Vec::new());
        let mut failures = self.failures.iter().cycle();
        let mut classification = failures.next().unwrap().clone();
        let (mut now, mut failed_at) = (self.start, self.start);
        loop {
            let plan = next(
                &self.policy,
                &self.history(failed_at, &classification, &attempts),
                now,
                &mut rng,
            );
            let Plan::Act(step) = plan else {
                return (planned, plan);
            };
            planned.push(Planned {
                step: step.clone(),
                now,
                failed_at,
                classification: classification.clone(),
                before: attempts.clone(),
            });
            now = step.due_at + TimeDelta::seconds(rng.random_range(0..120));
            let charge = step.kind == AttemptKind::Charge;
            if charge {
                failed_at = now;
                classification = failures.next().unwrap().clone();
            }
            attempts.push(PastAttempt {
                kind: step.kind,
                state: if charge {
                    AttemptState::Declined
                } else {
                    AttemptState::Succeeded
                },
                at: now,
                decline: charge.then_some(Decline {
                    category: classification.category,
                    hardness: classification.hardness,
                }),
            });
            assert!(planned.len() <= 20, "a recovery that does not end");
        }
    }
}

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
                prop_assert_eq!(earliest_charge(&tried, due), Ceiling::Allowed);
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
