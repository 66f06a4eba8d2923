//! Policies of every shape that the checks let through.

use std::collections::BTreeMap;

use chrono::Weekday;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::classification::Category;
use crate::experiment::VariantName;
use crate::limits::Rail;
use crate::money::{Currency, Money};
use crate::policy::{
    Experiment, FinalAction, LocalTime, MonthDay, PayDays, PolicyDocument, QuietHours, RetryPolicy,
    SendingWindow, StepAction, StepRule, Variant, Weekends,
};
use crate::state::Channel;

pub(super) fn any_channels() -> impl Strategy<Value = Vec<Channel>> {
    let all = Channel::ALL.to_vec();
    let some = prop::sample::subsequence(all.clone(), 0..=all.len());
    prop_oneof![Just(all), some]
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

fn time(hour: u32, minute: u32) -> LocalTime {
    LocalTime::parse(&format!("{hour:02}:{minute:02}")).unwrap()
}

/// Windows that share the hour from 13:00.
fn any_window(earliest: u32) -> impl Strategy<Value = SendingWindow> {
    (earliest..13, 0u32..60, 14u32..22, 0u32..60).prop_map(|(from, first, until, last)| {
        let late = if until == 21 { 0 } else { last };
        SendingWindow {
            from: time(from, first),
            until: time(until, late),
        }
    })
}

fn any_quiet_hours() -> impl Strategy<Value = QuietHours> {
    (
        prop::bool::weighted(0.6),
        any_window(8),
        any_window(8),
        prop::option::of(any_window(0)),
    )
        .prop_map(|(enabled, sms, whatsapp, email)| QuietHours {
            enabled,
            sms,
            whatsapp,
            email,
        })
}

fn any_best_hours() -> impl Strategy<Value = Option<SendingWindow>> {
    let window = (0u32..22, 0u32..60, 1u32..24).prop_map(|(from, minute, length)| SendingWindow {
        from: time(from, minute),
        until: time(
            (from + length).min(23),
            if from + length > 23 { 59 } else { minute },
        ),
    });
    prop::option::of(window)
}

fn any_weekdays() -> impl Strategy<Value = Option<Vec<Weekday>>> {
    let days = [
        Weekday::Mon,
        Weekday::Tue,
        Weekday::Wed,
        Weekday::Thu,
        Weekday::Fri,
        Weekday::Sat,
        Weekday::Sun,
    ];
    prop::option::of(prop::sample::subsequence(days.to_vec(), 1..6))
}

fn any_pay_days() -> impl Strategy<Value = PayDays> {
    let month_days: Vec<_> = (1..=31).map(|day| MonthDay::new(day).unwrap()).collect();
    (
        any::<bool>(),
        prop::sample::subsequence(Category::ALL.to_vec(), 0..=Category::ALL.len()),
        prop::option::of(prop::sample::subsequence(month_days, 1..4)),
        any_weekdays(),
        1u32..=31,
    )
        .prop_map(
            |(enabled, categories, month_days, weekdays, within_days)| PayDays {
                enabled,
                categories,
                month_days,
                weekdays,
                within_days,
            },
        )
}

fn any_weekends() -> impl Strategy<Value = Weekends> {
    (any::<bool>(), any::<bool>(), any_weekdays()).prop_map(
        |(avoid_charges, avoid_messages, days)| Weekends {
            avoid_charges,
            avoid_messages,
            days,
        },
    )
}

/// Changes that any base takes.
fn any_changes() -> impl Strategy<Value = Map<String, Value>> {
    let change = prop_oneof![
        (0u32..=50).prop_map(|percent| json!({"jitter_percent": percent})),
        (1u32..3_000_000).prop_map(|stop| json!({"stop_after_seconds": stop})),
        any::<bool>().prop_map(|enabled| json!({"quiet_hours": {"enabled": enabled}})),
        any::<bool>().prop_map(|avoid| json!({"weekends": {"avoid_charges": avoid}})),
        Just(json!({"best_charge_hours": null, "most_charges": 1})),
    ];
    change.prop_map(|value| value.as_object().unwrap().clone())
}

fn any_experiment() -> impl Strategy<Value = Experiment> {
    (
        0u32..=2_000,
        prop::collection::vec((0u32..=2_000, any_changes()), 0..4),
    )
        .prop_map(|(hold_out, variants)| Experiment {
            key: "spring".to_owned(),
            hold_out,
            variants: variants
                .into_iter()
                .enumerate()
                .map(|(index, (weight, changes))| Variant {
                    name: VariantName::parse(&format!("v{index}")).unwrap(),
                    weight,
                    changes,
                })
                .collect(),
        })
}

/// When a policy stops.
type Stops = (u32, Option<u32>, Option<u32>, Vec<Category>, Vec<Money>);

fn any_stops() -> impl Strategy<Value = Stops> {
    let rarely = |values: Vec<Category>| prop_oneof![4 => Just(Vec::new()), 1 => prop::sample::subsequence(values, 1..3)];
    let least = (
        1i64..1_000_000,
        prop::sample::select(vec!["EUR", "INR", "JPY"]),
    )
        .prop_map(|(minor, currency)| {
            vec![Money::new(minor, Currency::parse(currency).unwrap()).unwrap()]
        });
    (
        1u32..3_000_000,
        prop::option::weighted(0.2, 0u32..6),
        prop::option::weighted(0.2, 0u32..6),
        rarely(Category::ALL.to_vec()),
        prop_oneof![4 => Just(Vec::new()), 1 => least],
    )
}

fn steps_of<K: Ord + Copy + std::fmt::Debug + 'static>(
    keys: &'static [K],
) -> impl Strategy<Value = BTreeMap<K, Vec<StepRule>>> {
    prop::collection::btree_map(prop::sample::select(keys), any_steps(), 0..3)
}

fn any_preferences() -> impl Strategy<
    Value = (
        QuietHours,
        Option<SendingWindow>,
        PayDays,
        Weekends,
        u32,
        u32,
    ),
> {
    (
        any_quiet_hours(),
        any_best_hours(),
        any_pay_days(),
        any_weekends(),
        prop_oneof![Just(0), 0u32..400_000],
        prop_oneof![Just(1_800), 0u32..400_000],
    )
}

fn any_schedule() -> impl Strategy<Value = PolicyDocument> {
    let delays = (0u32..200_000, 1u32..=5, 0u32..500_000, 0u32..=50);
    let shape = (
        12u32..=20,
        any_channels(),
        prop::option::of(any_steps()),
        0u8..5,
        any::<bool>(),
        prop::option::of(0u32..12),
    );
    (delays, shape, steps_of(Category::ALL), steps_of(Rail::ALL)).prop_map(
        |(
            (initial, multiplier, longest, jitter),
            (most, channels, steps, silent, at_once, fewer),
            overrides,
            rail_overrides,
        )| {
            let explicit = steps.is_some() || !overrides.is_empty() || !rail_overrides.is_empty();
            PolicyDocument {
                max_retries: fewer.filter(|_| !explicit).unwrap_or(most),
                initial_delay_seconds: initial,
                backoff_multiplier: multiplier,
                max_delay_seconds: longest,
                enabled_channels: channels,
                jitter_percent: jitter,
                steps,
                overrides,
                rail_overrides,
                silent_charges: silent,
                immediate_message_when_payer_present: at_once,
                ..PolicyDocument::default()
            }
        },
    )
}

/// Policies that charge as often as they may, minutes or hours apart.
fn hasty_schedule() -> impl Strategy<Value = PolicyDocument> {
    prop::collection::vec(0u32..9_000, 12..=20).prop_map(|delays| {
        let steps = delays.into_iter().map(|delay_seconds| StepRule {
            delay_seconds,
            action: StepAction::Charge,
            channels: None,
        });
        PolicyDocument {
            max_retries: 20,
            steps: Some(steps.collect()),
            ..PolicyDocument::default()
        }
    })
}

pub(crate) fn any_policy() -> impl Strategy<Value = RetryPolicy> {
    (
        any_schedule(),
        any_preferences(),
        any_stops(),
        prop::sample::select(FinalAction::ALL),
        prop::option::of(any_experiment()),
    )
        .prop_map(|(schedule, preferences, stops, final_action, experiment)| {
            let (quiet_hours, best_charge_hours, pay_days, weekends, gap, pending) = preferences;
            let (stop, most_messages, most_charges, never_act_on, minimum_amounts) = stops;
            RetryPolicy::from_document(PolicyDocument {
                quiet_hours,
                best_charge_hours,
                pay_days,
                weekends,
                least_message_gap_seconds: gap,
                pending_wait_seconds: pending,
                stop_after_seconds: stop,
                most_messages,
                most_charges,
                never_act_on,
                minimum_amounts,
                final_action,
                experiment,
                ..schedule
            })
            .unwrap()
        })
}

pub(super) fn hasty_policy() -> impl Strategy<Value = RetryPolicy> {
    let preferences = (any_best_hours(), any_weekends(), any::<bool>());
    (hasty_schedule(), preferences, any::<bool>()).prop_map(
        |(schedule, (best_charge_hours, weekends, preferring), patient)| {
            let document = PolicyDocument {
                stop_after_seconds: if patient { 5_000_000 } else { 2_000_000 },
                ..schedule
            };
            RetryPolicy::from_document(if preferring {
                PolicyDocument {
                    best_charge_hours,
                    weekends,
                    ..document
                }
            } else {
                document
            })
            .unwrap()
        },
    )
}
