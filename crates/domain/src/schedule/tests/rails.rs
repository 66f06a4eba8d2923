//! What can be charged on which rail, and the rules of rails and laws.

use super::*;
use crate::limits::{CardTry, TriedBy, TryOutcome};

fn on(rail: Rail, code: &str) -> Case {
    let mut case = case(code);
    case.facts.rail = rail;
    case
}

#[test]
fn only_the_payer_pays_by_upi_request_bank_transfer_and_wallet() {
    for (rail, why) in [
        (Rail::UpiCollect, "a UPI request is paid by the payer alone"),
        (
            Rail::Netbanking,
            "a bank transfer is made by the payer alone",
        ),
        (Rail::Wallet, "a wallet is opened by the payer alone"),
    ] {
        let decision = on(rail, "insufficient_funds").decide(&exact(), noon());
        assert!(matches!(&decision.plan, Plan::Act(step) if step.kind == AttemptKind::Message));
        let first = &decision.considered[0];
        assert_eq!(first.kind, AttemptKind::Charge);
        assert!(
            matches!(&first.outcome, Outcome::Skipped { rule, words } if rule == "rail" && words == why),
            "{first:?}"
        );
    }
    for rail in [
        Rail::Card,
        Rail::UpiAutopay,
        Rail::Emandate,
        Rail::BankDebit,
        Rail::Unknown,
    ] {
        let mut case = on(rail, "insufficient_funds");
        case.facts.amount = money(5_000, "EUR");
        assert_eq!(
            case.step(&exact(), noon()).kind,
            AttemptKind::Charge,
            "{rail}"
        );
    }
}

#[test]
fn a_pending_upi_payment_is_waited_for_before_anybody_is_written_to() {
    let mut pending = on(Rail::UpiCollect, "insufficient_funds");
    let signals = Signals {
        code: Some("payment_pending"),
        ..Signals::new(FailureSource::Razorpay)
    };
    pending.facts.failure = FailureFacts::new(noon(), &signals, &classify(&signals));
    let policy = json!({"jitter_percent": 0, "steps": [{"delay_seconds": 0, "action": "message"}]});
    let step = pending.step(&policy, noon());
    assert_eq!(step.due_at, noon() + TimeDelta::minutes(30));
    assert_eq!(
        step.why,
        "UPI payment is pending: write to the payer by email in 30 minutes (step 1 of 1); moved to \
         Thu 12:30 Asia/Kolkata: the UPI payment is pending and may still succeed"
    );
}

#[test]
fn an_indian_card_is_charged_a_day_after_the_notice_at_the_soonest() {
    let mut indian = case("insufficient_funds");
    indian.facts.card_country = Some("IN".parse().unwrap());
    let step = indian.step(&exact(), noon());
    assert_eq!(step.due_at, noon() + TimeDelta::days(1));
    assert!(
        step.why.ends_with(
            "moved to Fri 12:00 Asia/Kolkata: India has the payer told 24 hours before a recurring debit"
        ),
        "{}",
        step.why
    );
    // The edition before knew of no such notice.
    indian.pack = RulePack::named("2026-11-24").unwrap();
    assert_eq!(
        indian.step(&exact(), noon()).due_at,
        noon() + TimeDelta::hours(1)
    );
}

#[test]
fn above_fifteen_thousand_rupees_the_payer_is_asked() {
    let mut indian = on(Rail::UpiAutopay, "insufficient_funds");
    indian.facts.amount = money(1_500_001, "INR");
    let decision = indian.decide(&exact(), noon());
    assert!(matches!(&decision.plan, Plan::Act(step) if step.kind == AttemptKind::Message));
    assert!(matches!(
        &decision.considered[0].outcome,
        Outcome::Skipped { rule, .. } if rule == "rbi-authentication"
    ));
}

#[test]
fn autopay_is_debited_within_its_windows() {
    // The notice ends at noon, between two windows.
    let step = on(Rail::UpiAutopay, "insufficient_funds").step(&exact(), noon());
    assert_eq!(step.due_at, noon() + TimeDelta::hours(25));
    assert!(
        step.why
            .contains("moved to Fri 13:00 Asia/Kolkata: UPI AutoPay"),
        "{}",
        step.why
    );
}

#[test]
fn tries_that_others_made_on_the_card_count() {
    let mut shared = case("insufficient_funds");
    shared.facts.network = Some(CardNetwork::Mastercard);
    shared.facts.tries = (0..10)
        .map(|minute| CardTry {
            at: noon() - TimeDelta::minutes(minute),
            by: TriedBy::Psp,
            outcome: TryOutcome::Declined,
            amount: money(100 + minute, "EUR"),
        })
        .collect();
    let step = shared.step(&exact(), noon());
    assert_eq!(
        step.due_at,
        noon() + TimeDelta::days(1) - TimeDelta::minutes(9)
    );
    shared.facts.tries.truncate(9);
    assert_eq!(
        shared.step(&exact(), noon()).due_at,
        noon() + TimeDelta::hours(1)
    );
}

#[test]
fn an_override_for_the_rail_wins_over_steps_and_loses_to_the_categorys() {
    let policy = |overrides: Value| {
        json!({
            "jitter_percent": 0,
            "steps": [{"delay_seconds": 1, "action": "charge"}],
            "rail_overrides": {"bank_debit": [{"delay_seconds": 2, "action": "charge"}]},
            "overrides": overrides,
        })
    };
    let due = |rail, overrides| {
        let mut case = on(rail, "insufficient_funds");
        case.facts.amount = money(5_000, "EUR");
        (case.step(&policy(overrides), noon()).due_at - noon()).num_seconds()
    };
    assert_eq!(due(Rail::Card, json!({})), 1);
    assert_eq!(due(Rail::BankDebit, json!({})), 2);
    let category = json!({"insufficient_funds": [{"delay_seconds": 3, "action": "charge"}]});
    assert_eq!(due(Rail::BankDebit, category), 3);
}
