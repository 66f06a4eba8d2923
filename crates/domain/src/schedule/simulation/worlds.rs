//! Recoveries: where they start, and what chance decides as they go.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use super::policies::{any_channels, any_policy, hasty_policy};
use crate::classification::{Category, FailureSource, Signals, TABLES, classify};
use crate::experiment::Assignment;
use crate::limits::{CardNetwork, CardTry, Rail, RulePack, TriedBy, TryOutcome};
use crate::money::{Currency, MAX_MINOR, Money};
use crate::payer::Country;
use crate::policy::RetryPolicy;
use crate::schedule::{Facts, FailureFacts};

/// One recovery: where it starts, and what chance decides as it goes.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(in crate::schedule) policy: RetryPolicy,
    pub(in crate::schedule) pack: RulePack,
    /// What is known at the first decision.
    pub(in crate::schedule) facts: Facts,
    /// The failures that follow.
    pub(in crate::schedule) failures: Vec<FailureFacts>,
}

/// Failures by every row of every table. The soft and the pending ones come
/// more often than chance has it: most rows are hard.
fn any_failure() -> impl Strategy<Value = FailureFacts> {
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
    let pending: Vec<_> = rows()
        .filter(|(_, row)| row.verdict.category == Category::UpiPending)
        .map(|(table, row)| (table, row.code))
        .collect();
    let codes = prop_oneof![
        5 => prop::sample::select(all),
        10 => prop::sample::select(soft),
        1 => prop::sample::select(pending),
    ];
    let raw = prop::option::weighted(0.2, prop::sample::select(vec!["R1", "57", "05", "51"]));
    (codes, raw).prop_map(|((table, code), raw)| {
        let code = Some(code);
        let signals = match table {
            "stripe" => Signals {
                code,
                network_decline_code: raw,
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
        };
        let mut failure = FailureFacts::new(DateTime::UNIX_EPOCH, &signals, &classify(&signals));
        // A table may say softer than a rule: then the rule alone has to hold.
        failure.network_decline_code = raw.map(str::to_owned).or(failure.network_decline_code);
        failure
    })
}

/// Starts that lie around clock changes, leap days and the days on which rules
/// change more often than chance has it.
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
        "2025-05-18T23:00:00Z",
        "2025-07-31T20:00:00Z",
        "2022-06-15T20:00:00Z",
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

fn any_country() -> impl Strategy<Value = Option<Country>> {
    let codes = [
        "US", "IN", "AU", "CA", "FR", "AE", "BR", "SA", "MX", "KZ", "DE", "GB", "JP", "IR", "EG",
    ];
    prop::option::of(prop::sample::select(codes.to_vec()).prop_map(|code| code.parse().unwrap()))
}

/// A card, mandate or account, with what was tried on it before: seconds ago, and chance.
type Means = (Rail, Option<CardNetwork>, Option<Country>, Vec<(i64, u8)>);

fn any_means() -> impl Strategy<Value = Means> {
    let rails = prop_oneof![2 => Just(Rail::Card), 1 => prop::sample::select(Rail::ALL)];
    let spread = prop::collection::vec((1i64..5_000_000, any::<u8>()), 0..40);
    let dense = prop::collection::vec((1i64..80_000, any::<u8>()), 0..14);
    (
        rails,
        prop::option::weighted(0.8, prop::sample::select(CardNetwork::ALL)),
        any_country(),
        prop_oneof![Just(Vec::new()), spread, dense],
    )
}

fn tries(start: DateTime<Utc>, amount: Money, before: &[(i64, u8)]) -> Vec<CardTry> {
    let other = Money::new(amount.minor() % 1_000 + 1, amount.currency()).unwrap();
    let mut tries: Vec<_> = before
        .iter()
        .map(|(seconds, chance)| CardTry {
            at: start - TimeDelta::seconds(*seconds),
            by: TriedBy::ALL[usize::from(chance % 3)],
            outcome: TryOutcome::ALL[usize::from(chance / 3 % 3)],
            amount: if chance & 64 == 0 { amount } else { other },
        })
        .collect();
    tries.push(CardTry {
        at: start,
        by: TriedBy::Payer,
        outcome: TryOutcome::Declined,
        amount,
    });
    tries
}

fn any_amount() -> impl Strategy<Value = Money> {
    let minor = prop_oneof![1..=MAX_MINOR, 1i64..5_000_000];
    let currency = prop::sample::select(vec!["EUR", "INR", "JPY", "KWD", "USD"]);
    (minor, currency)
        .prop_map(|(minor, code)| Money::new(minor, Currency::parse(code).unwrap()).unwrap())
}

pub(crate) fn any_world() -> impl Strategy<Value = World> {
    let payer = (
        prop::sample::select(chrono_tz::TZ_VARIANTS.to_vec()),
        any_country(),
        any_channels(),
        prop::bool::weighted(0.9),
    );
    (
        prop_oneof![4 => any_policy().boxed(), 1 => hasty_policy().boxed()],
        prop::sample::select(RulePack::all()),
        prop::collection::vec(any_failure(), 1..4),
        any_start(),
        (payer, any_means(), any_amount()),
        (
            any::<u64>(),
            any::<prop::sample::Index>(),
            prop::bool::weighted(0.05),
        ),
    )
        .prop_map(
            |(policy, pack, failures, start, (payer, means, amount), chance)| {
                let (seed, arm, hold_out) = chance;
                let experiment = policy.document().experiment.as_ref();
                let names: Vec<_> = experiment
                    .into_iter()
                    .flat_map(|experiment| &experiment.variants)
                    .map(|variant| Some(variant.name.clone()))
                    .chain([None])
                    .collect();
                let variant = arm.get(&names).clone().filter(|_| !hold_out);
                let (time_zone, country, reachable, can_charge) = payer;
                let (rail, network, card_country, before) = means;
                let mut failure = failures[0].clone();
                failure.at = start;
                let facts = Facts {
                    now: start,
                    opened_at: start,
                    seed,
                    assignment: Assignment { variant, hold_out },
                    failure,
                    attempts: Vec::new(),
                    reachable,
                    can_charge,
                    rail,
                    network,
                    card_country,
                    country,
                    time_zone,
                    amount,
                    tries: tries(start, amount, &before),
                    asked_for: None,
                };
                World {
                    policy,
                    pack,
                    facts,
                    failures,
                }
            },
        )
}
