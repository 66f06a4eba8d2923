//! Every code that is documented has its row, with meaning and source.
//!
//! `cargo test -p domain coverage -- --nocapture` prints it.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use crate::classification::TABLES;

/// Every decline code of <https://docs.stripe.com/declines/codes>, read 2026-11-25: cards, then local payment methods.
const STRIPE_DOCUMENTED: &[&str] = &[
    "authentication_required",
    "authentication_not_handled",
    "approve_with_id",
    "call_issuer",
    "card_not_supported",
    "card_velocity_exceeded",
    "currency_not_supported",
    "do_not_honor",
    "do_not_try_again",
    "duplicate_transaction",
    "expired_card",
    "fraudulent",
    "generic_decline",
    "incorrect_address",
    "incorrect_cvc",
    "incorrect_number",
    "incorrect_pin",
    "incorrect_zip",
    "insufficient_funds",
    "invalid_account",
    "invalid_amount",
    "invalid_cvc",
    "invalid_expiry_month",
    "invalid_expiry_year",
    "invalid_number",
    "invalid_pin",
    "issuer_not_available",
    "lost_card",
    "merchant_blacklist",
    "mobile_device_authentication_required",
    "new_account_information_available",
    "no_action_taken",
    "not_permitted",
    "offline_pin_required",
    "online_or_offline_pin_required",
    "pickup_card",
    "pin_try_exceeded",
    "processing_error",
    "reenter_transaction",
    "restricted_card",
    "revocation_of_all_authorizations",
    "revocation_of_authorization",
    "security_violation",
    "service_not_allowed",
    "stolen_card",
    "stop_payment_order",
    "testmode_decline",
    "transaction_not_allowed",
    "try_again_later",
    "withdrawal_count_limit_exceeded",
    "compliance_violation",
    "expired_payment_information",
    "invalid_authorization",
    "invalid_billing_agreement",
    "invalid_business_account",
    "invalid_customer_account",
    "invalid_payment_information",
    "partner_duplicate_transaction",
    "partner_expired_card",
    "partner_generic_decline",
    "partner_high_risk_customer",
    "partner_insufficient_funds",
    "partner_invalid_amount",
    "partner_invalid_currency",
    "partner_payment_not_found",
    "partner_processing_error",
    "payment_disputed",
    "payment_limit_exceeded",
];

/// The reasons of Razorpay's lists of card, UPI and mandate errors that payments meet.
const RAZORPAY_DOCUMENTED: &[&str] = &[
    "already_declined",
    "amount_less_than_minimum_amount",
    "authentication_failed",
    "authorisation_declined_by_psp",
    "bank_account_invalid",
    "bank_account_validation_failed",
    "bank_cutoff_in_progress",
    "bank_not_available",
    "bank_not_enabled",
    "bank_technical_error",
    "card_declined",
    "card_disabled_for_online_payments",
    "card_expired",
    "card_network_not_enabled",
    "card_not_enrolled",
    "card_number_invalid",
    "card_type_invalid",
    "collect_request_pending",
    "compliance_violation",
    "credit_failed",
    "credit_limit_exceeded",
    "debit_declined",
    "debit_instrument_blocked",
    "debit_instrument_inactive",
    "duplicate_request",
    "gateway_technical_error",
    "incorrect_cvv",
    "incorrect_otp",
    "incorrect_pin",
    "input_validation_failed",
    "insufficient_funds",
    "international_transaction_not_allowed",
    "invalid_amount",
    "invalid_currency",
    "invalid_otp",
    "invalid_vpa",
    "issuer_technical_error",
    "live_mode_not_enabled",
    "mandate_expired",
    "order_already_paid",
    "otp_attempts_exceeded",
    "otp_expired",
    "payment_cancelled",
    "payment_collect_request_expired",
    "payment_declined",
    "payment_failed",
    "payment_risk_check_failed",
    "payment_session_expired",
    "payment_timed_out",
    "pin_attempts_exceeded",
    "psp_not_available",
    "recurring_payment_not_enabled",
    "request_timed_out",
    "server_error",
    "transaction_daily_count_exceeded",
    "transaction_daily_limit_exceeded",
    "transaction_frequency_limit_exceeded",
    "transaction_limit_exceeded",
    "transaction_on_vpa_restricted",
    "upi_app_technical_error",
    "account_changed",
    "account_does_not_exist",
    "account_restricted",
    "bank_not_live_on_upi",
    "beneficiary_account_not_found",
    "mandate_already_executed",
    "record_not_found",
    "request_validation_failed",
    "transaction_not_allowed",
    "user_not_eligible",
    "vpa_resolution_failed",
];

/// Stripe's advice codes (<https://docs.stripe.com/declines/card>).
const STRIPE_ADVICE: &[&str] = &["do_not_try_again", "try_again_later", "confirm_card_data"];

/// Mastercard's merchant advice codes, as PSPs publish them.
const MASTERCARD_ADVICE: &[&str] = &[
    "01", "02", "03", "04", "21", "22", "24", "25", "26", "27", "28", "29", "30", "40", "41", "43",
];

/// The networks' decline codes that Visa's categories and PSPs' pages name.
const NETWORK: &[&str] = &[
    "03", "04", "05", "07", "12", "14", "15", "19", "41", "43", "46", "51", "54", "55", "57", "59",
    "61", "62", "65", "70", "75", "78", "82", "83", "86", "91", "93", "96", "1A", "5C", "6P", "9G",
    "N7", "R0", "R1", "R3",
];

/// UPI's codes of the pages that the table names.
const UPI: &[&str] = &[
    "U16", "U30", "U69", "Z6", "Z7", "Z8", "Z9", "ZA", "ZE", "ZG", "ZH", "ZM", "ZU", "ZX", "ZY",
    "XB", "XC", "XH", "XI", "YE", "YF", "B1", "B3", "B6", "BT", "RB", "UB", "UP", "59", "96",
];

pub(super) fn has(table: &str, code: &str) -> bool {
    let (_, rows) = TABLES.iter().find(|(name, _)| *name == table).unwrap();
    rows.iter()
        .any(|row| row.code == code && !row.meaning.is_empty() && !row.source.title.is_empty())
}

fn missing<'a>(table: &str, documented: &[&'a str]) -> Vec<&'a str> {
    let distinct: BTreeSet<_> = documented.iter().collect();
    assert_eq!(distinct.len(), documented.len(), "{table}: listed twice");
    let lacks = |code: &&&str| !has(table, code);
    documented.iter().filter(lacks).copied().collect()
}

#[test]
fn coverage() {
    let mut lacking = Vec::new();
    for (table, documented) in [
        ("stripe", STRIPE_DOCUMENTED),
        ("stripe_advice", STRIPE_ADVICE),
        ("razorpay", RAZORPAY_DOCUMENTED),
        ("network", NETWORK),
        ("mastercard_advice", MASTERCARD_ADVICE),
        ("upi", UPI),
    ] {
        let missing = missing(table, documented);
        println!(
            "{table}: {} of {} documented codes have a row",
            documented.len() - missing.len(),
            documented.len()
        );
        lacking.extend(missing.into_iter().map(|code| (table, code)));
    }
    for (table, rows) in TABLES {
        let sources: BTreeSet<_> = rows.iter().map(|row| row.source.title).collect();
        println!(
            "{table}: {} rows from {} sources",
            rows.len(),
            sources.len()
        );
    }
    assert!(lacking.is_empty(), "no row: {lacking:?}");
}

#[test]
fn every_row_says_what_it_means_and_when_that_was_read() {
    for (table, rows) in TABLES {
        for row in *rows {
            let whole = !row.meaning.is_empty() && !row.source.title.is_empty();
            assert!(whole, "{table}: {}", row.code);
            let read = NaiveDate::parse_from_str(row.source.read, "%Y-%m-%d");
            assert!(read.is_ok(), "{table}: {} has no date", row.code);
            let open = row.source.url.is_empty() || row.source.url.starts_with("https://");
            assert!(open, "{table}: {}", row.source.url);
        }
    }
}

#[test]
fn tables_stand_in_the_order_in_which_they_are_searched() {
    for (table, rows) in TABLES {
        for pair in rows.windows(2) {
            let place = |at: usize| {
                let code = pair[at].code;
                (code.len(), code.to_ascii_lowercase())
            };
            assert!(place(0) < place(1), "{table}: {}", pair[1].code);
        }
    }
}
