//! Microseconds to decide a recovery's next step, with its reason in words. The
//! promise is under 5: `cargo bench -p domain --bench planning`.

#![expect(clippy::expect_used, reason = "a benchmark fails by panicking")]

use std::hint::black_box;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use criterion::{Criterion, criterion_group, criterion_main};
use domain::classification::{FailureSource, Signals, classify};
use domain::experiment::Assignment;
use domain::limits::{CardNetwork, CardTry, Rail, RulePack, TriedBy, TryOutcome};
use domain::schedule::{Decline, Facts, FailureFacts, PastAttempt, decide};
use domain::{AttemptKind, AttemptState, Channel, Currency, Money, RetryPolicy};
use serde_json::{Value, json};

fn policy(document: &Value) -> RetryPolicy {
    RetryPolicy::from_json(document).expect("a policy that can be followed")
}

fn amount() -> Money {
    let rupees = Currency::parse("INR").expect("a currency");
    Money::new(129_950, rupees).expect("an amount")
}

/// An Indian payer who failed for want of money, late on a Saturday.
fn facts() -> Facts {
    let now: DateTime<Utc> = "2026-03-07T17:45:00Z".parse().expect("a time");
    let signals = Signals {
        code: Some("insufficient_funds"),
        network_decline_code: Some("51"),
        ..Signals::new(FailureSource::Stripe)
    };
    let first = CardTry {
        at: now,
        by: TriedBy::Payer,
        outcome: TryOutcome::Declined,
        amount: amount(),
    };
    Facts {
        now,
        opened_at: now,
        seed: 7,
        assignment: Assignment::default(),
        failure: FailureFacts::new(now, &signals, &classify(&signals)),
        attempts: Vec::new(),
        reachable: Channel::ALL.to_vec(),
        can_charge: true,
        rail: Rail::Card,
        network: Some(CardNetwork::Visa),
        card_country: None,
        country: "IN".parse().ok(),
        time_zone: Tz::Asia__Kolkata,
        amount: amount(),
        tries: vec![first],
        asked_for: None,
    }
}

/// The same after eight declined charges, twenty more tries of others, and two messages.
fn busy() -> Facts {
    let mut facts = facts();
    let start = facts.now;
    let decline = Decline {
        category: facts.failure.category,
        hardness: facts.failure.hardness,
    };
    for hour in 1..=10 {
        let kind = if hour % 5 == 0 {
            AttemptKind::Message
        } else {
            AttemptKind::Charge
        };
        let charge = kind == AttemptKind::Charge;
        facts.attempts.push(PastAttempt {
            kind,
            state: if charge {
                AttemptState::Declined
            } else {
                AttemptState::Succeeded
            },
            at: start + TimeDelta::hours(hour),
            decline: charge.then_some(decline),
        });
    }
    for hour in 1..=28 {
        facts.tries.push(CardTry {
            at: start + TimeDelta::minutes(hour * 20),
            by: if hour % 3 == 0 {
                TriedBy::Us
            } else {
                TriedBy::Psp
            },
            outcome: TryOutcome::Declined,
            amount: amount(),
        });
    }
    facts.now = start + TimeDelta::hours(11);
    facts
}

fn cases() -> [(&'static str, RetryPolicy, Facts); 5] {
    let preferring = json!({
        "max_retries": 20,
        "pay_days": {"enabled": true},
        "weekends": {"avoid_charges": true, "avoid_messages": true},
        "best_charge_hours": {"from": "10:00", "until": "18:00"},
        "silent_charges": 12,
        "stop_after_seconds": 5_000_000,
    });
    let messages = json!({
        "enabled_channels": ["email", "sms", "whatsapp"],
        "weekends": {"avoid_messages": true},
        "quiet_hours": {"email": {"from": "07:00", "until": "22:00"}},
        "steps": [{"delay_seconds": 60, "action": "message"}],
    });
    let unreached = Facts {
        can_charge: false,
        reachable: Vec::new(),
        ..facts()
    };
    [
        ("the default policy", RetryPolicy::default(), facts()),
        ("every preference", policy(&preferring), facts()),
        ("every preference, a busy card", policy(&preferring), busy()),
        ("a message round at night", policy(&messages), facts()),
        (
            "twenty moves that reach nobody",
            policy(&json!({"max_retries": 20})),
            unreached,
        ),
    ]
}

fn planning(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decide");
    for (name, policy, facts) in cases() {
        group.bench_function(name, |bencher| {
            bencher.iter(|| decide(black_box(&policy), RulePack::current(), black_box(&facts)));
        });
    }
    group.finish();
}

criterion_group!(benches, planning);
criterion_main!(benches);
