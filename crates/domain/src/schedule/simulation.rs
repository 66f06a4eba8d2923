//! Random policies, failures and clocks, and whole recoveries played through them.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use chrono_tz::Tz;

use super::*;
use crate::classification::{Category, Classification, FailureSource, Signals, TABLES, classify};
use crate::limits::CardNetwork;
use crate::money::{Currency, MAX_MINOR, Money};
use crate::policy::{LocalTime, PolicyDocument, QuietHours, SendingWindow, StepAction, StepRule};
use crate::state::Channel;

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
            email: None,
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
                (initial, multiplier, longest, jitter),
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
                    max_delay_seconds: longest,
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

/// Failures by every row of every table, soft ones as often as the hard, which
/// most rows are.
fn any_failure() -> impl Strategy<Value = Classification> {
    let rows = || {
        TABLES
            .iter()
            .flat_map(|(table, rows)| rows.iter().map(move |row| (*table, row)))
    };
    let all: Vec<_> = rows().map(|(table, row)| (table, row.code)).collect();
    let soft: Vec<_> = rows()
        .filter(|(_, row)| row.verdict.charge_allowed)
        .map(|(table, row)| (table, row.code))
        .collect();
    prop_oneof![prop::sample::select(all), prop::sample::select(soft)].prop_map(|(table, code)| {
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

/// Policies that charge as often as they may, minutes or hours apart.
fn hasty_policy() -> impl Strategy<Value = RetryPolicy> {
    prop::collection::vec(0u32..9_000, 12..=20).prop_map(|delays| {
        let steps: Vec<_> = delays
            .into_iter()
            .map(|delay_seconds| StepRule {
                delay_seconds,
                action: StepAction::Charge,
                channels: None,
            })
            .collect();
        RetryPolicy::from_document(PolicyDocument {
            max_retries: 20,
            steps: Some(steps),
            stop_after_seconds: 5_000_000,
            ..PolicyDocument::default()
        })
        .unwrap()
    })
}

/// One recovery: where it starts, and what chance decides as it goes.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) policy: RetryPolicy,
    pub(super) failures: Vec<Classification>,
    pub(super) start: DateTime<Utc>,
    pub(super) zone: Tz,
    pub(super) network: Option<CardNetwork>,
    pub(super) reachable: Vec<Channel>,
    pub(super) can_charge: bool,
    pub(super) amount: Money,
    pub(super) seed: u64,
}

pub(super) fn any_world() -> impl Strategy<Value = World> {
    let payer = (
        prop::sample::select(chrono_tz::TZ_VARIANTS.to_vec()),
        prop::option::of(prop::sample::select(CardNetwork::ALL)),
        any_channels(),
        prop::bool::weighted(0.8),
    );
    let failures = prop::collection::vec(any_failure(), 1..4);
    (
        prop_oneof![4 => any_policy().boxed(), 1 => hasty_policy().boxed()],
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
pub(super) struct Planned {
    pub(super) step: Step,
    pub(super) now: DateTime<Utc>,
    pub(super) failed_at: DateTime<Utc>,
    pub(super) classification: Classification,
    pub(super) before: Vec<PastAttempt>,
}

impl World {
    pub(super) fn history<'a>(
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

    /// Plays the recovery to its end, and gives every step with what it was
    /// planned from. Every charge is declined; every act and every plan is late
    /// by chance; after some messages the payer fails with means of their own.
    pub(super) fn play(&self) -> (Vec<Planned>, Plan) {
        let mut rng = StdRng::seed_from_u64(self.seed);
        let (mut attempts, mut planned) = (Vec::new(), Vec::new());
        let mut failures = self.failures.iter().cycle();
        let mut classification = failures.next().unwrap().clone();
        let (mut now, mut failed_at) = (self.start, self.start);
        loop {
            now += TimeDelta::seconds(late(&mut rng));
            let history = self.history(failed_at, &classification, &attempts);
            let plan = next(&self.policy, &history, now, &mut rng);
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
            now = step.due_at + TimeDelta::seconds(late(&mut rng));
            let charge = step.kind == AttemptKind::Charge;
            if charge || rng.random_bool(0.3) {
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

/// Seconds of lateness: mostly a few, at times hours.
fn late(rng: &mut StdRng) -> i64 {
    let most = if rng.random_bool(0.2) { 20_000 } else { 20 };
    rng.random_range(0..most)
}
