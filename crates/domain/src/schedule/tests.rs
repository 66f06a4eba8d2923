use chrono::TimeDelta;
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::*;
use crate::classification::{Classification, FailureSource, Signals, classify};
use crate::experiment::Assignment;
use crate::limits::{CardNetwork, Rail};
use crate::money::{Currency, Money};
use crate::state::Channel;

mod calendar;
mod edges;
mod rails;
mod records;
mod stops;
mod wording;

/// A failure at Thursday noon in Kolkata, and what a test changes about it.
#[derive(Clone)]
struct Case {
    facts: Facts,
    pack: RulePack,
}

fn noon() -> DateTime<Utc> {
    "2026-03-05T06:30:00Z".parse().unwrap()
}

fn money(minor: i64, currency: &str) -> Money {
    Money::new(minor, Currency::parse(currency).unwrap()).unwrap()
}

fn stripe(code: &str) -> (Signals<'_>, Classification) {
    let signals = Signals {
        code: Some(code),
        ..Signals::new(FailureSource::Stripe)
    };
    (signals, classify(&signals))
}

fn case(code: &str) -> Case {
    let (signals, classification) = stripe(code);
    Case {
        facts: Facts {
            now: noon(),
            opened_at: noon(),
            seed: 7,
            assignment: Assignment::default(),
            failure: FailureFacts::new(noon(), &signals, &classification),
            attempts: Vec::new(),
            reachable: vec![Channel::Email, Channel::Sms, Channel::WhatsApp],
            can_charge: true,
            rail: Rail::Card,
            network: Some(CardNetwork::Visa),
            card_country: Some("DE".parse().unwrap()),
            country: None,
            time_zone: Tz::Asia__Kolkata,
            amount: money(129_950, "INR"),
            tries: Vec::new(),
            asked_for: None,
        },
        pack: RulePack::current(),
    }
}

impl Case {
    fn decide(&self, policy: &Value, now: DateTime<Utc>) -> Decision {
        let policy = RetryPolicy::from_json(policy).unwrap();
        let facts = Facts {
            now,
            ..self.facts.clone()
        };
        decide(&policy, self.pack, &facts)
    }

    fn plan(&self, policy: &Value, now: DateTime<Utc>) -> Plan {
        self.decide(policy, now).plan
    }

    fn step(&self, policy: &Value, now: DateTime<Utc>) -> Step {
        match self.plan(policy, now) {
            Plan::Act(step) => step,
            other => panic!("expected a step, got {other:?}"),
        }
    }

    fn after(mut self, kind: AttemptKind, state: AttemptState, at: DateTime<Utc>) -> Self {
        let decline = (state == AttemptState::Declined).then_some(Decline {
            category: self.facts.failure.category,
            hardness: self.facts.failure.hardness,
        });
        self.facts.attempts.push(PastAttempt {
            kind,
            state,
            at,
            decline,
        });
        self
    }

    fn failed_at(mut self, at: DateTime<Utc>) -> Self {
        self.facts.failure.at = at;
        self
    }
}

fn exact() -> Value {
    json!({"jitter_percent": 0})
}

#[test]
fn a_soft_decline_is_charged_again_after_the_first_delay_in_words() {
    let step = case("insufficient_funds").step(&exact(), noon());
    assert_eq!(
        (step.number, step.kind, step.due_at),
        (1, AttemptKind::Charge, noon() + TimeDelta::hours(1))
    );
    assert_eq!(
        step.why,
        "Payment declined for insufficient funds: charge 1299.50 INR again in 1 hour (step 1 of 3)"
    );
}

#[test]
fn after_the_silent_charge_the_payer_is_written_to() {
    let charged = noon() + TimeDelta::hours(1);
    let mut case =
        case("insufficient_funds").after(AttemptKind::Charge, AttemptState::Declined, charged);
    case = case.failed_at(charged);
    let step = case.step(&exact(), charged);
    assert_eq!((step.number, step.kind), (2, AttemptKind::Message));
    assert_eq!(step.due_at, charged + TimeDelta::hours(2));
    assert_eq!(step.channels, [Channel::Email]);
}

#[test]
fn an_expired_card_is_written_about_at_once_and_never_charged() {
    let step = case("expired_card").step(&exact(), noon());
    assert_eq!((step.kind, step.due_at), (AttemptKind::Message, noon()));
    assert_eq!(
        step.why,
        "Payment declined, the card has expired: write to the payer by email now (step 1 of 3)"
    );
}

#[test]
fn a_charge_that_is_declined_for_good_is_followed_by_messages_only() {
    let case = case("lost_card").after(AttemptKind::Charge, AttemptState::Declined, noon());
    let step = case.step(&exact(), noon());
    assert_eq!(step.kind, AttemptKind::Message);
    assert!(step.why.contains("step 2 of 3") && step.why.contains("does not name the reason"));
}

#[test]
fn an_earlier_hard_decline_forbids_charges_though_the_latest_failure_is_soft() {
    let policy = json!({"max_retries": 3, "silent_charges": 3});
    let mut refused = case("lost_card").after(AttemptKind::Charge, AttemptState::Declined, noon());
    refused.facts.failure = case("insufficient_funds").facts.failure;
    assert_eq!(refused.step(&policy, noon()).kind, AttemptKind::Message);

    let declined =
        case("insufficient_funds").after(AttemptKind::Charge, AttemptState::Declined, noon());
    assert_eq!(declined.step(&policy, noon()).kind, AttemptKind::Charge);
}

#[test]
fn a_plan_made_late_is_due_now_and_not_before() {
    let late = noon() + TimeDelta::days(2);
    let step = case("insufficient_funds").step(&exact(), late);
    assert_eq!(step.due_at, late);
    assert!(step.why.contains("again now"), "{}", step.why);
}

#[test]
fn the_networks_ceiling_moves_a_charge_and_says_so() {
    let policy = json!({
        "jitter_percent": 0, "max_retries": 20, "quiet_hours": {"enabled": false},
        "initial_delay_seconds": 60, "backoff_multiplier": 1, "max_delay_seconds": 60, "silent_charges": 20,
    });
    let mut hasty = case("insufficient_funds");
    hasty.facts.network = Some(CardNetwork::Mastercard);
    for minute in 1..=9 {
        hasty = hasty.after(
            AttemptKind::Charge,
            AttemptState::Declined,
            noon() + TimeDelta::minutes(minute),
        );
    }
    let step = hasty.step(&policy, noon() + TimeDelta::minutes(9));
    assert_eq!(
        (step.number, step.due_at),
        (10, noon() + TimeDelta::days(1))
    );
    assert!(
        step.why.ends_with(
            "moved to Fri 12:00 Asia/Kolkata: Mastercard allows 10 declines of one card in 24 hours"
        ),
        "{}",
        step.why
    );
}

#[test]
fn a_revoked_consent_ends_the_recovery() {
    let plan = case("revocation_of_authorization").plan(&exact(), noon());
    assert!(matches!(plan, Plan::GiveUp { why } if why.contains("withdrew their consent")));
}

#[test]
fn nothing_is_planned_while_an_outcome_is_open_or_after_a_charge_went_through() {
    for state in [
        AttemptState::Scheduled,
        AttemptState::Claimed,
        AttemptState::InDoubt,
        AttemptState::Succeeded,
    ] {
        let case = case("insufficient_funds").after(AttemptKind::Charge, state, noon());
        let plan = case.plan(&exact(), noon());
        assert!(matches!(plan, Plan::Wait { .. }), "{state}: {plan:?}");
    }
}

#[test]
fn a_text_message_waits_for_the_morning_and_says_so() {
    let policy = json!({"jitter_percent": 0, "enabled_channels": ["sms"]});
    let night = noon() + TimeDelta::hours(10);
    let step = case("expired_card").failed_at(night).step(&policy, night);
    assert_eq!(step.due_at.to_rfc3339(), "2026-03-06T02:30:00+00:00");
    assert!(
        step.why
            .ends_with("moved to Fri 08:00 Asia/Kolkata: quiet hours"),
        "{}",
        step.why
    );
}

#[test]
fn a_present_payer_gets_the_email_at_night_and_no_text_message() {
    let policy = json!({"enabled_channels": ["email", "sms"]});
    let night = noon() + TimeDelta::hours(10);
    let step = case("expired_card").failed_at(night).step(&policy, night);
    assert_eq!(
        (step.due_at, step.channels.as_slice()),
        (night, [Channel::Email].as_slice())
    );
    assert!(
        step.why.ends_with("without SMS: quiet hours"),
        "{}",
        step.why
    );
}

#[test]
fn a_cooldown_outlasts_the_policys_delay() {
    let step = case("card_velocity_exceeded").step(&exact(), noon());
    assert_eq!(step.due_at, noon() + TimeDelta::days(1));
    assert!(
        step.why
            .contains("moved to Fri 12:00 Asia/Kolkata: the bank wants a pause"),
        "{}",
        step.why
    );
}

#[test]
fn a_payer_out_of_reach_is_skipped_or_given_up() {
    let mut hard = case("expired_card");
    hard.facts.reachable.clear();
    let plan = hard.plan(&exact(), noon());
    assert!(
        matches!(plan, Plan::GiveUp { why } if why.ends_with("no enabled channel reaches the payer"))
    );

    let mut soft =
        case("insufficient_funds").after(AttemptKind::Charge, AttemptState::Declined, noon());
    soft.facts.reachable.clear();
    assert_eq!(soft.step(&exact(), noon()).kind, AttemptKind::Charge);
}

#[test]
fn when_every_step_was_taken_the_last_link_may_still_be_used() {
    let written = noon() + TimeDelta::hours(3);
    let case = case("insufficient_funds")
        .after(AttemptKind::Charge, AttemptState::Declined, noon())
        .after(AttemptKind::Charge, AttemptState::Declined, noon())
        .after(AttemptKind::Message, AttemptState::Succeeded, written);
    let Plan::Wait { until, why } = case.plan(&exact(), written) else {
        panic!("expected to wait");
    };
    assert_eq!(until, written + TimeDelta::hours(24));
    assert!(why.ends_with("every step of the policy was taken"));
}

#[test]
fn a_cancelled_attempt_uses_up_no_step() {
    let step = case("insufficient_funds")
        .after(AttemptKind::Charge, AttemptState::Cancelled, noon())
        .step(&exact(), noon());
    assert_eq!((step.number, step.kind), (2, AttemptKind::Charge));
    assert!(step.why.contains("step 1 of 3"));
}

#[test]
fn a_demonstration_waits_a_second_or_two() {
    let policy = json!({
        "name": "Demo", "jitter_percent": 0, "max_retries": 4, "stop_after_seconds": 15,
        "enabled_channels": ["email", "whatsapp"], "quiet_hours": {"enabled": false},
        "steps": [
            {"delay_seconds": 1, "action": "charge"},
            {"delay_seconds": 2, "action": "charge"},
            {"delay_seconds": 1, "action": "message"},
        ],
    });
    let second = TimeDelta::seconds(1);
    let first = case("insufficient_funds").step(&policy, noon());
    assert_eq!(
        (first.kind, first.due_at),
        (AttemptKind::Charge, noon() + second)
    );
    let mut again = case("insufficient_funds").after(
        AttemptKind::Charge,
        AttemptState::Declined,
        noon() + second,
    );
    again = again.failed_at(noon() + second);
    let step = again.step(&policy, noon() + second);
    assert_eq!(
        (step.kind, step.due_at),
        (AttemptKind::Charge, noon() + second * 3)
    );
    let written = case("expired_card").step(&policy, noon());
    assert_eq!(
        (written.kind, written.due_at),
        (AttemptKind::Message, noon() + second)
    );
    assert_eq!(written.channels, [Channel::Email, Channel::WhatsApp]);
    let late = case("insufficient_funds").plan(&policy, noon() + second * 15);
    assert!(matches!(late, Plan::Wait { until, .. } if until == noon() + second * 15));
}
