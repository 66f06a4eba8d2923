mod coverage;
mod signals;
mod waits;

use chrono::NaiveDate;
use proptest::prelude::*;

use super::*;
use crate::limits::{VisaCategory, visa_category};

fn of_stripe(code: &str) -> Signals<'_> {
    Signals {
        code: Some(code),
        ..Signals::new(FailureSource::Stripe)
    }
}

#[test]
fn a_verdict_never_contradicts_itself() {
    for row in TABLES.iter().flat_map(|(_, rows)| *rows) {
        let verdict = row.verdict;
        let hard = verdict.hardness == Hardness::Hard;
        assert!(!(hard && verdict.charge_allowed), "{}", row.code);
        assert!(hard || verdict.contact == Contact::Normal, "{}", row.code);
        // Who is not charged is told why, so a row that forbids says why.
        let says_why = verdict.category != Category::Unknown;
        assert!(says_why || verdict.charge_allowed, "{}", row.code);
    }
}

#[test]
fn whatever_visa_never_approves_is_hard() {
    let on = NaiveDate::from_ymd_opt(2027, 1, 1).unwrap();
    for row in network::ROWS {
        if visa_category(row.code, on) == VisaCategory::NeverApproves {
            assert_eq!(row.verdict.hardness, Hardness::Hard, "{}", row.code);
        }
    }
    for code in [
        "04", "07", "12", "14", "15", "41", "43", "46", "57", "R0", "R1", "R3",
    ] {
        assert!(coverage::has("network", code), "{code}");
    }
}

#[test]
fn an_advice_not_to_try_again_overrides_a_soft_code() {
    let told = classify(&Signals {
        advice_code: Some("do_not_try_again"),
        ..of_stripe("insufficient_funds")
    });
    assert_eq!(
        (told.hardness, told.charge_allowed),
        (Hardness::Hard, false)
    );
    assert_eq!(
        (told.category, told.decided_by),
        (Category::DoNotRetry, "stripe_advice")
    );

    let advised = classify(&Signals {
        network: Some(CardNetwork::Mastercard),
        network_advice_code: Some("03"),
        ..of_stripe("generic_decline")
    });
    assert_eq!(
        (advised.hardness, advised.decided_by),
        (Hardness::Hard, "mastercard_advice")
    );
}

#[test]
fn an_advice_to_wait_leaves_the_reason_and_sets_the_cooldown() {
    let waiting = classify(&Signals {
        network: Some(CardNetwork::Mastercard),
        network_advice_code: Some("26"),
        ..of_stripe("insufficient_funds")
    });
    assert_eq!(waiting.category, Category::InsufficientFunds);
    assert_eq!(waiting.cooldown, Some(TimeDelta::days(2)));
    assert!(waiting.charge_allowed && waiting.known);
}

#[test]
fn another_networks_advice_is_not_read_as_mastercards() {
    let visa = classify(&Signals {
        network: Some(CardNetwork::Visa),
        network_advice_code: Some("03"),
        ..of_stripe("insufficient_funds")
    });
    assert_eq!(visa.hardness, Hardness::Soft);
}

#[test]
fn the_networks_code_tells_more_than_a_generic_decline() {
    let told = classify(&Signals {
        network_decline_code: Some("51"),
        ..of_stripe("generic_decline")
    });
    assert_eq!(
        (told.category, told.decided_by),
        (Category::InsufficientFunds, "network_code")
    );
}

#[test]
fn a_revoked_consent_ends_all_contact() {
    for code in [
        "revocation_of_authorization",
        "revocation_of_all_authorizations",
        "stop_payment_order",
    ] {
        let revoked = classify(&of_stripe(code));
        assert_eq!(
            (revoked.contact, revoked.charge_allowed),
            (Contact::None, false),
            "{code}"
        );
    }
}

#[test]
fn a_lost_card_is_not_named_to_the_payer() {
    let lost = classify(&of_stripe("Lost_Card"));
    assert_eq!(lost.contact, Contact::Neutral);
    for word in ["lost", "stolen", "fraud", "block"] {
        assert!(!lost.payer_advice.to_lowercase().contains(word));
    }
}

#[test]
fn an_unknown_code_is_soft_and_counted_even_when_the_words_decide() {
    let unknown = classify(&of_stripe("brand_new_code"));
    assert_eq!(
        (unknown.category, unknown.known),
        (Category::Unknown, false)
    );
    assert!(unknown.charge_allowed);
    let worded = classify(&Signals {
        message: Some("Insufficient balance"),
        ..of_stripe("brand_new_code")
    });
    assert_eq!(
        (worded.category, worded.known, worded.decided_by),
        (Category::InsufficientFunds, false, "message")
    );
}

#[test]
fn a_merchants_gateway_chooses_the_table() {
    let api = |gateway, code| {
        classify(&Signals {
            gateway,
            code: Some(code),
            ..Signals::new(FailureSource::Api)
        })
    };
    assert_eq!(api(Some("Stripe"), "do_not_honor").hardness, Hardness::Soft);
    assert_eq!(api(None, "do_not_honor").hardness, Hardness::Hard);
    assert_eq!(
        api(Some("razorpay"), "card_expired").category,
        Category::ExpiredCard
    );
    assert_eq!(
        api(None, "Card was declined: insufficient balance").category,
        Category::InsufficientFunds
    );
}

fn any_code() -> impl Strategy<Value = Option<String>> {
    let known: Vec<String> = TABLES
        .iter()
        .flat_map(|(_, rows)| rows.iter().map(|row| row.code.to_owned()))
        .collect();
    prop::option::of(prop_oneof![3 => prop::sample::select(known), 1 => ".{0,12}"])
}

proptest! {
    #[test]
    fn one_more_signal_never_forbids_less(
        code in any_code(), advice in any_code(), raw in any_code(), mac in any_code(),
        source in prop::sample::select(FailureSource::ALL),
        network in prop::option::of(prop::sample::select(CardNetwork::ALL)),
    ) {
        let all = Signals {
            code: code.as_deref(), advice_code: advice.as_deref(), network,
            network_decline_code: raw.as_deref(), network_advice_code: mac.as_deref(),
            ..Signals::new(source)
        };
        let whole = classify(&all);
        for fewer in [
            Signals { advice_code: None, network_decline_code: None, network_advice_code: None, ..all },
            Signals { network_decline_code: None, ..all },
            Signals { network_advice_code: None, ..all },
            Signals { advice_code: None, ..all },
        ] {
            let part = classify(&fewer);
            if part.decided_by == "message" {
                continue;
            }
            prop_assert!(whole.hardness >= part.hardness);
            prop_assert!(part.charge_allowed || !whole.charge_allowed);
            prop_assert!(whole.cooldown >= part.cooldown);
        }
        prop_assert!(whole.charge_allowed || whole.hardness == Hardness::Hard || whole.contact == Contact::Normal);
    }

    #[test]
    fn letters_case_makes_no_difference(code in any_code(), source in prop::sample::select(FailureSource::ALL)) {
        let code = code.unwrap_or_default();
        prop_assume!(code.is_ascii());
        let of = |code: &str| classify(&Signals { code: Some(code), ..Signals::new(source) });
        prop_assert_eq!(of(&code.to_ascii_uppercase()), of(&code.to_ascii_lowercase()));
    }

    #[test]
    fn what_was_stored_is_never_restored_more_lenient(index in any::<prop::sample::Index>()) {
        let rows: Vec<&Row> = TABLES.iter().flat_map(|(_, rows)| *rows).collect();
        let verdict = index.get(&rows).verdict;
        let restored = Classification::from_stored(verdict.category, verdict.hardness);
        prop_assert!(restored.charge_allowed <= verdict.charge_allowed);
        prop_assert!(restored.contact >= verdict.contact);
    }
}
