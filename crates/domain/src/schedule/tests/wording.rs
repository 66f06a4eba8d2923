//! What a merchant reads.

use super::*;

#[test]
fn waits_are_told_in_their_two_largest_units() {
    let told = |seconds: u32| {
        let policy = json!({
            "jitter_percent": 0, "steps": [{"delay_seconds": seconds, "action": "charge"}],
        });
        let why = case("insufficient_funds").step(&policy, noon()).why;
        let from = why.find("again ").unwrap() + "again ".len();
        let end = why.find(" (step").unwrap();
        why[from..end].to_owned()
    };
    for (seconds, words) in [
        (0, "now"),
        (1, "in 1 second"),
        (2, "in 2 seconds"),
        (60, "in 1 minute"),
        (3_599, "in 59 minutes 59 seconds"),
        (3_600, "in 1 hour"),
        (5_400, "in 1 hour 30 minutes"),
        (7_201, "in 2 hours 1 second"),
        (86_400, "in 1 day"),
        (2 * 86_400 + 3_661, "in 2 days 1 hour"),
        (86_461, "in 1 day 1 minute"),
    ] {
        assert_eq!(told(seconds), words, "{seconds}");
    }
}

#[test]
fn channels_are_named_as_people_call_them() {
    let policy = json!({
        "enabled_channels": ["email", "sms", "whatsapp"],
        "steps": [{"delay_seconds": 0, "action": "message"}],
    });
    let step = case("insufficient_funds").step(&policy, noon());
    let wanted = "write to the payer by email and SMS and WhatsApp now";
    assert!(step.why.contains(wanted), "{}", step.why);
    // Only a failure that the payer must not be told of by name is kept from them.
    assert!(!step.why.contains("does not name the reason"));
}

#[test]
fn who_is_not_to_be_written_to_at_all_is_said_by_kind_of_failure() {
    for (code, wanted) in [
        (
            "duplicate_transaction",
            "Payment was made before: check which payment counts",
        ),
        (
            "testmode_decline",
            "Payment refused by the merchant's settings at the gateway: correct the settings or the request, \
             then try anew",
        ),
    ] {
        let plan = case(code).plan(&exact(), noon());
        assert!(
            matches!(&plan, Plan::GiveUp { why } if why == wanted),
            "{plan:?}"
        );
    }
}

#[test]
fn every_failure_begins_with_words_of_its_own() {
    let words: std::collections::BTreeSet<_> = crate::classification::Category::ALL
        .iter()
        .map(|category| words::what_happened(*category))
        .collect();
    assert_eq!(words.len(), crate::classification::Category::ALL.len());
    assert!(
        words
            .iter()
            .all(|words| words.starts_with("Payment ") || words.starts_with("UPI "))
    );
}

#[test]
fn a_date_that_is_far_names_its_day_without_a_nought() {
    let said = |at: &str| {
        let mut out = String::new();
        clock::words(&mut out, at.parse().unwrap(), Tz::UTC, noon());
        out
    };
    assert_eq!(said("2026-04-09T09:09:00Z"), "Thu 9 Apr 09:09 UTC");
    assert_eq!(said("2026-04-10T10:10:00Z"), "Fri 10 Apr 10:10 UTC");
    assert_eq!(said("2026-04-20T00:00:00Z"), "Mon 20 Apr 00:00 UTC");
}
