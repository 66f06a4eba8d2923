//! Which signals are heard, which wins, and whether they disagree.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::of_stripe;
use crate::classification::*;
use crate::limits::{CardNetwork, Rail};

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

/// What was heard: the table, the code of its row, and whether it won.
fn told(classification: &Classification) -> Vec<(&'static str, Option<&'static str>, bool)> {
    let told = |heard: &Heard| (heard.by, heard.row.map(|row| row.code), heard.won);
    classification.heard.iter().map(told).collect()
}

#[test]
fn every_signal_is_told_with_its_row_and_the_one_that_won() {
    let classification = classify(&Signals {
        advice_code: Some("DO_NOT_TRY_AGAIN"),
        network: Some(CardNetwork::Mastercard),
        network_decline_code: Some("51"),
        network_advice_code: Some("brand new"),
        ..of_stripe("insufficient_funds")
    });
    assert_eq!(
        told(&classification),
        [
            ("stripe_code", Some("insufficient_funds"), false),
            ("stripe_advice", Some("do_not_try_again"), true),
            ("network_code", Some("51"), false),
            ("unknown", None, false),
        ]
    );
    assert!(classification.disagreed && !classification.known);
    let unrecognized: Vec<_> = classification.heard.unrecognized().collect();
    assert_eq!(unrecognized, [Signal::NetworkAdviceCode]);
    let row = classification.row.unwrap();
    assert_eq!(row.code, "do_not_try_again");
    assert_eq!(row.meaning, classification.meaning);
    let verdicts: Vec<_> = classification.heard.iter().map(Heard::verdict).collect();
    assert_eq!((verdicts[1], verdicts[3]), (Some(row.verdict), None));
}

#[test]
fn signals_that_permit_the_same_agree_whatever_reason_they_give() {
    let agreed = classify(&Signals {
        network: Some(CardNetwork::Amex),
        network_decline_code: Some("116"),
        ..of_stripe("generic_decline")
    });
    assert!(!agreed.disagreed);
    assert_eq!(agreed.decided_by, "network_code");
    let alone = classify(&of_stripe("lost_card"));
    assert!(!alone.disagreed);
    // Both are hard, and one of them must not be named.
    let named = classify(&Signals {
        network: Some(CardNetwork::Amex),
        network_decline_code: Some("200"),
        ..of_stripe("expired_card")
    });
    assert!(named.disagreed);
    assert_eq!(
        (named.contact, named.course()),
        (Contact::Neutral, Course::AskNeutrally)
    );
}

#[test]
fn the_longest_wait_holds_whichever_signal_asks_for_it() {
    let hard = classify(&Signals {
        network: Some(CardNetwork::Mastercard),
        network_advice_code: Some("26"),
        ..of_stripe("expired_card")
    });
    assert_eq!(hard.cooldown, Some(TimeDelta::days(2)));
    assert_eq!(hard.decided_by, "stripe_code");
}

#[test]
fn a_soft_code_that_wants_the_payer_forbids_more_than_one_that_does_not() {
    let pending = classify(&Signals {
        code: Some("payment_pending"),
        network_decline_code: Some("51"),
        ..Signals::new(FailureSource::Razorpay)
    });
    assert!(!pending.charge_allowed && pending.disagreed);
    assert_eq!(pending.category, Category::UpiPending);
    let timeout = classify(&Signals {
        code: Some("otp_timeout"),
        ..Signals::new(FailureSource::Api)
    });
    assert_eq!(timeout.cooldown, Some(TimeDelta::seconds(30)));
}

#[test]
fn what_says_only_what_to_do_never_gives_the_reason() {
    let declined = classify(&Signals {
        advice_code: Some("try_again_later"),
        ..of_stripe("generic_decline")
    });
    assert_eq!(
        (declined.category, declined.decided_by),
        (Category::IssuerDecline, "stripe_code")
    );
}

#[test]
fn of_equally_strict_signals_the_first_one_wins() {
    let both = classify(&Signals {
        advice_code: Some("confirm_card_data"),
        ..of_stripe("expired_card")
    });
    assert_eq!(
        (both.category, both.decided_by),
        (Category::ExpiredCard, "stripe_code")
    );
}

#[test]
fn visas_category_is_the_one_of_the_day_of_the_failure() {
    let of = |network, code, failed_on| {
        classify(&Signals {
            network,
            network_decline_code: Some(code),
            failed_on,
            ..Signals::new(FailureSource::Stripe)
        })
    };
    let visa = |failed_on| told(&of(Some(CardNetwork::Visa), "57", failed_on));
    let before = [("network_code", Some("57"), true)];
    let since = [before[0], ("visa_category", Some("1"), false)];
    assert_eq!(visa(Some(day(2026, 10, 24))), before);
    assert_eq!(visa(Some(day(2026, 10, 25))), since);
    assert_eq!(visa(None), since, "the newest lists count without a day");
    assert_eq!(told(&of(None, "57", None)), since, "it may be Visa");
    let amex = of(Some(CardNetwork::Amex), "57", None);
    assert_eq!(told(&amex), before, "Visa's alone");
}

#[test]
fn each_of_visas_categories_says_what_follows() {
    let of = |code| {
        let told = classify(&Signals {
            network: Some(CardNetwork::Visa),
            network_decline_code: Some(code),
            ..of_stripe("generic_decline")
        });
        let category = told.heard.iter().find(|heard| heard.by == "visa_category");
        category.and_then(|heard| heard.row).map(|row| row.code)
    };
    assert_eq!(of("04"), Some("1"));
    assert_eq!(of("51"), Some("2"));
    assert_eq!(of("54"), Some("3"));
    assert_eq!(of("05"), None, "the fourth says nothing");
}

#[test]
fn the_rail_tells_upis_codes_from_card_networks() {
    let of = |rail, code| {
        classify(&Signals {
            rail,
            network_decline_code: Some(code),
            ..Signals::new(FailureSource::Razorpay)
        })
    };
    for rail in [Rail::UpiCollect, Rail::UpiAutopay] {
        let reversed = of(Some(rail), "96");
        assert_eq!(
            (reversed.category, reversed.decided_by),
            (Category::UpiPending, "upi_code")
        );
        assert_eq!(told(&of(Some(rail), "41")), [("unknown", None, false)]);
    }
    let card = of(Some(Rail::Card), "96");
    assert_eq!(card.category, Category::ProcessingError);
    assert!(!of(Some(Rail::Card), "U30").known);
    assert_eq!(of(None, "U30").decided_by, "upi_code");
    assert_eq!(of(None, "96").decided_by, "network_code");
    let of_a_card = classify(&Signals {
        network: Some(CardNetwork::Rupay),
        network_decline_code: Some("U30"),
        ..Signals::new(FailureSource::Razorpay)
    });
    assert!(!of_a_card.known);
}

#[test]
fn razorpay_passes_upis_codes_on() {
    let funds = classify(&Signals {
        code: Some("z9"),
        ..Signals::new(FailureSource::Razorpay)
    });
    assert_eq!(
        (funds.category, funds.decided_by),
        (Category::InsufficientFunds, "upi_code")
    );
    let of_merchant = |gateway, rail| {
        let signals = Signals {
            gateway,
            rail,
            code: Some("96"),
            ..Signals::new(FailureSource::Api)
        };
        classify(&signals).decided_by
    };
    assert_eq!(of_merchant(None, None), "network_code");
    assert_eq!(of_merchant(None, Some(Rail::UpiCollect)), "upi_code");
    assert_eq!(of_merchant(Some("RazorPay India"), None), "upi_code");
}

#[test]
fn an_empty_code_says_nothing() {
    let silent = classify(&Signals {
        advice_code: Some("  "),
        ..of_stripe(" insufficient_funds ")
    });
    assert!(silent.known);
    assert_eq!(silent.heard.iter().count(), 1);
    let nothing = classify(&Signals::new(FailureSource::Stripe));
    assert_eq!((nothing.decided_by, nothing.known), ("nothing", false));
    assert_eq!(nothing.row, None);
    assert!(!nothing.meaning.is_empty());
}

#[test]
fn a_signal_is_said_under_its_own_name() {
    let signals = Signals {
        advice_code: Some("b"),
        network_decline_code: Some("c"),
        network_advice_code: Some("d"),
        message: Some("e"),
        ..of_stripe("a")
    };
    let said: Vec<_> = Signal::ALL.iter().map(|it| signals.said(*it)).collect();
    assert_eq!(said, ["a", "b", "c", "d", "e"].map(Some));
}

#[test]
fn the_earliest_retry_is_the_failure_and_the_cooldown() {
    let failed_at: DateTime<Utc> = "2026-11-25T10:00:00Z".parse().unwrap();
    let limited = classify(&of_stripe("card_velocity_exceeded"));
    let tomorrow = failed_at + TimeDelta::days(1);
    assert_eq!(limited.earliest_retry(failed_at), Some(tomorrow));
    let soft = classify(&of_stripe("insufficient_funds"));
    assert_eq!(soft.earliest_retry(failed_at), Some(failed_at));
    let hard = classify(&of_stripe("lost_card"));
    assert_eq!(hard.earliest_retry(failed_at), None);
    assert_eq!(
        soft.earliest_retry(DateTime::<Utc>::MAX_UTC),
        Some(DateTime::<Utc>::MAX_UTC)
    );
    assert_eq!(limited.earliest_retry(DateTime::<Utc>::MAX_UTC), None);
}

#[test]
fn every_course_is_taken_by_some_code() {
    for (code, course) in [
        ("insufficient_funds", Course::ChargeAgain),
        ("expired_card", Course::Ask),
        ("lost_card", Course::AskNeutrally),
        ("revocation_of_authorization", Course::Stop),
    ] {
        assert_eq!(classify(&of_stripe(code)).course(), course, "{code}");
    }
    let pending = classify(&Signals {
        code: Some("payment_pending"),
        ..Signals::new(FailureSource::Razorpay)
    });
    assert_eq!(pending.course(), Course::PayerRetries);
}

#[test]
fn a_stored_category_and_hardness_are_read_at_their_strictest() {
    let of = |category, hardness| {
        let stored = Classification::from_stored(category, hardness);
        assert_eq!((stored.category, stored.hardness), (category, hardness));
        assert_eq!((stored.decided_by, stored.cooldown), ("stored", None));
        (stored.charge_allowed, stored.contact)
    };
    let soft = |category| of(category, Hardness::Soft);
    let hard = |category| of(category, Hardness::Hard);
    assert_eq!(soft(Category::InsufficientFunds), (true, Contact::Normal));
    assert_eq!(
        soft(Category::AuthenticationRequired),
        (false, Contact::Normal)
    );
    assert_eq!(soft(Category::UpiPending), (false, Contact::Normal));
    assert_eq!(hard(Category::ExpiredCard), (false, Contact::Normal));
    assert_eq!(hard(Category::IssuerDecline), (false, Contact::Neutral));
    assert_eq!(soft(Category::IssuerDecline), (true, Contact::Normal));
    assert_eq!(hard(Category::DoNotRetry), (false, Contact::None));
    assert_eq!(hard(Category::Duplicate), (false, Contact::None));
    assert_eq!(hard(Category::Configuration), (false, Contact::None));
}
