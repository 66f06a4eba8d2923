//! What holds exactly at a limit: the recovery's end, an hour's first minute, a
//! delay and what jitter adds to it.

use super::*;
use crate::limits::{CardTry, TriedBy, TryOutcome};
use crate::schedule::clock::next_showing;

/// Half past ten in the evening in Kolkata.
fn night() -> DateTime<Utc> {
    "2026-03-05T17:00:00Z".parse().unwrap()
}

fn phones_and_email(more: Value) -> Value {
    let mut policy = more;
    policy["jitter_percent"] = json!(0);
    policy["enabled_channels"] = json!(["email", "sms"]);
    policy
}

#[test]
fn jitter_adds_at_most_its_share_of_the_delay_and_takes_nothing_away() {
    let policy = json!({"jitter_percent": 10});
    let extra: Vec<_> = (0..200)
        .map(|number: u64| {
            let mut case = case("insufficient_funds");
            case.facts.seed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            case.step(&policy, noon()).due_at - noon() - TimeDelta::hours(1)
        })
        .collect();
    let (least, most) = (extra.iter().min().unwrap(), extra.iter().max().unwrap());
    assert!(*least >= TimeDelta::zero() && *least < TimeDelta::minutes(1));
    assert!(*most <= TimeDelta::minutes(6) && *most > TimeDelta::minutes(5));
}

#[test]
fn a_charge_that_would_fall_past_the_end_leaves_the_payer_that_time() {
    let policy =
        |stop: u32| json!({"jitter_percent": 0, "stop_after_seconds": stop, "max_retries": 1});
    let in_time = case("insufficient_funds").step(&policy(3_601), noon());
    assert_eq!(in_time.due_at, noon() + TimeDelta::hours(1));
    // Due exactly at the end is too late.
    let plan = case("insufficient_funds").plan(&policy(3_600), noon());
    let why =
        "Payment declined for insufficient funds: the next step would fall past the recovery's end";
    assert_eq!(
        plan,
        Plan::Wait {
            until: noon() + TimeDelta::hours(1),
            why: why.to_owned(),
        }
    );
}

#[test]
fn nobody_is_written_to_at_the_recoverys_end_however_present() {
    let closes = noon() + TimeDelta::hours(1);
    let policy = json!({"jitter_percent": 0, "stop_after_seconds": 3_600});
    // A PSP's clock may run ahead of ours.
    let ahead = case("expired_card").failed_at(closes);
    assert!(matches!(ahead.plan(&policy, noon()), Plan::Wait { until, .. } if until == closes));
    let before = case("expired_card").failed_at(closes - TimeDelta::seconds(1));
    let step = before.step(&policy, noon());
    assert_eq!(step.due_at, closes - TimeDelta::seconds(1));
}

#[test]
fn before_the_end_a_round_goes_without_phones_rather_than_not_at_all() {
    let late = |channels: &[&str]| {
        let mut policy = phones_and_email(json!({
            "stop_after_seconds": 12 * 3_600,
            "steps": [{"delay_seconds": 60, "action": "message"}],
        }));
        policy["enabled_channels"] = json!(channels);
        case("insufficient_funds")
            .failed_at(night())
            .plan(&policy, night())
    };
    let Plan::Act(step) = late(&["email", "sms"]) else {
        panic!("expected a step");
    };
    assert_eq!(step.due_at, night() + TimeDelta::minutes(1));
    assert_eq!(step.channels, [Channel::Email]);
    assert!(
        step.why.ends_with("without SMS: quiet hours"),
        "{}",
        step.why
    );
    // Nobody is awake to read a text message, and the morning is too late.
    let closes = noon() + TimeDelta::hours(12);
    assert!(matches!(late(&["sms"]), Plan::Wait { until, .. } if until == closes));
}

#[test]
fn only_a_payer_who_is_there_now_is_written_to_at_night_without_phones() {
    let morning = "2026-03-06T02:30:00Z".parse::<DateTime<Utc>>().unwrap();
    let both = [Channel::Email, Channel::Sms];
    let at_once = phones_and_email(json!({"steps": [{"delay_seconds": 0, "action": "message"}]}));
    // Whose money was short is not waiting in front of a screen.
    let step = case("insufficient_funds")
        .failed_at(night())
        .step(&at_once, night());
    assert_eq!(
        (step.due_at, step.channels.as_slice()),
        (morning, &both[..])
    );
    // An hour later the payer is gone, and so they are after a gap between messages.
    let later = phones_and_email(json!({"steps": [{"delay_seconds": 3_600, "action": "message"}]}));
    let step = case("expired_card")
        .failed_at(night())
        .step(&later, night());
    assert_eq!(
        (step.due_at, step.channels.as_slice()),
        (morning, &both[..])
    );
    let gap = phones_and_email(json!({
        "least_message_gap_seconds": 3_600,
        "steps": [{"delay_seconds": 0, "action": "message"}, {"delay_seconds": 0, "action": "message"}],
    }));
    let step = case("expired_card")
        .after(AttemptKind::Message, AttemptState::Succeeded, night())
        .failed_at(night())
        .step(&gap, night());
    assert_eq!(
        (step.due_at, step.channels.as_slice()),
        (morning, &both[..])
    );
}

#[test]
fn a_round_at_the_week_end_is_better_than_none_and_says_so() {
    // Saturday noon, until Sunday night.
    let saturday = noon() + TimeDelta::days(2);
    let policy = json!({
        "jitter_percent": 0, "stop_after_seconds": 3 * 86_400 + 3_600,
        "weekends": {"avoid_messages": true},
        "steps": [{"delay_seconds": 3_600, "action": "message"}],
    });
    let step = case("lost_card")
        .failed_at(saturday)
        .step(&policy, saturday);
    assert_eq!(step.due_at, saturday + TimeDelta::hours(1));
    assert!(
        step.why
            .ends_with("the week-end is not avoided: it would fall past the recovery's end"),
        "{}",
        step.why
    );
}

#[test]
fn a_wait_that_ends_when_the_step_is_due_moves_nothing() {
    let policy = json!({"jitter_percent": 0, "initial_delay_seconds": 86_400});
    let decision = case("card_velocity_exceeded").decide(&policy, noon());
    let day = noon() + TimeDelta::days(1);
    assert!(matches!(&decision.plan, Plan::Act(step) if step.due_at == day));
    assert_eq!(decision.considered.len(), 1, "{:?}", decision.considered);
    assert!(!decision.words.contains("moved"));
}

#[test]
fn hours_that_the_policy_and_a_law_close_together_are_the_policys() {
    let mut indian = case("lost_card").failed_at(night());
    indian.facts.country = Some("IN".parse().unwrap());
    let policy = json!({
        "jitter_percent": 0, "initial_delay_seconds": 0, "enabled_channels": ["sms"],
        "quiet_hours": {"sms": {"from": "10:00", "until": "20:00"}},
    });
    let step = indian.step(&policy, night());
    // The law opens at nine.
    assert!(
        step.why
            .ends_with("moved to Fri 10:00 Asia/Kolkata: quiet hours"),
        "{}",
        step.why
    );
}

#[test]
fn a_day_whose_law_leaves_the_policy_no_hour_is_skipped_whole() {
    // Canada's Sunday begins at ten, when this policy's text messages end; its Monday at nine.
    let sunday = "2026-03-08T14:00:00Z".parse::<DateTime<Utc>>().unwrap();
    let mut canadian = case("lost_card").failed_at(sunday);
    canadian.facts.opened_at = sunday;
    canadian.facts.country = Some("CA".parse().unwrap());
    canadian.facts.time_zone = Tz::America__Toronto;
    let policy = json!({
        "jitter_percent": 0, "initial_delay_seconds": 0, "enabled_channels": ["sms"],
        "quiet_hours": {"sms": {"from": "08:00", "until": "10:00"}},
    });
    let step = canadian.step(&policy, sunday);
    assert_eq!(step.due_at.to_rfc3339(), "2026-03-09T13:00:00+00:00");
}

#[test]
fn a_time_of_day_that_is_now_comes_next_tomorrow() {
    let eight = "08:00:00".parse().unwrap();
    let shown =
        |at: &str| next_showing(eight, Tz::UTC, at.parse().unwrap()).map(|at| at.to_rfc3339());
    let tomorrow = Some("2026-03-06T08:00:00+00:00".to_owned());
    assert_eq!(shown("2026-03-05T08:00:00Z"), tomorrow);
    assert_eq!(
        shown("2026-03-05T07:59:59Z"),
        Some("2026-03-05T08:00:00+00:00".to_owned())
    );
}

#[test]
fn a_card_without_a_ledger_has_failed_once_and_been_charged_by_us() {
    let once = case("insufficient_funds");
    let tries = once.facts.all_tries();
    assert_eq!(tries.len(), 1);
    assert_eq!((tries[0].at, tries[0].by), (noon(), TriedBy::Payer));
    let hour = noon() + TimeDelta::hours(1);
    let charged = once
        .after(AttemptKind::Charge, AttemptState::Declined, hour)
        .after(AttemptKind::Message, AttemptState::Succeeded, hour);
    let tries = charged.facts.all_tries();
    let made: Vec<_> = tries.iter().map(|tried| (tried.at, tried.by)).collect();
    assert_eq!(made, [(noon(), TriedBy::Payer), (hour, TriedBy::Us)]);
}

#[test]
fn what_others_or_earlier_recoveries_tried_stands_for_none_of_our_charges() {
    let hour = noon() + TimeDelta::hours(1);
    let mut case =
        case("insufficient_funds").after(AttemptKind::Charge, AttemptState::Declined, hour);
    let tried = |at, by| CardTry {
        at,
        by,
        outcome: TryOutcome::Declined,
        amount: money(129_950, "INR"),
    };
    case.facts.tries = vec![
        tried(noon() - TimeDelta::days(1), TriedBy::Us),
        tried(noon(), TriedBy::Payer),
        tried(hour, TriedBy::Psp),
    ];
    assert_eq!(case.facts.all_tries().len(), 4);
    // A ledger that knows the charge is taken as it is.
    case.facts.tries.push(tried(hour, TriedBy::Us));
    assert_eq!(case.facts.all_tries(), case.facts.tries);
}

#[test]
fn a_recoverys_seed_is_the_end_of_its_id() {
    let id = uuid::Uuid::from_u64_pair(0x0198_0000_0000_7000, 0x8123_4567_89AB_CDEF);
    let recovery = crate::id::RecoveryId::from_uuid(id);
    assert_eq!(seed(recovery), 0x8123_4567_89AB_CDEF);
}
