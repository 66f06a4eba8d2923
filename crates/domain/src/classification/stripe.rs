//! Stripe's decline codes, the error codes that stand in for one, and its advice codes.

use super::Category::{
    AuthenticationRequired, Configuration, DoNotRetry, Duplicate, ExpiredCard, InsufficientFunds,
    InvalidDetails, IssuerDecline, LimitExceeded, Network, ProcessingError, Unknown,
};
use super::table::{Row, Source, Verdict, sorted};

const CODES: Source = Source {
    title: "Stripe: decline codes",
    url: "https://docs.stripe.com/declines/codes",
    read: "2026-11-25",
};
const LOCAL_MEANS: Source = Source {
    title: "Stripe: decline codes, local payment methods",
    url: "https://docs.stripe.com/declines/codes#local-payment-method-decline-codes",
    read: "2026-11-25",
};
const ERRORS: Source = Source {
    title: "Stripe: error codes",
    url: "https://docs.stripe.com/error-codes",
    read: "2026-11-25",
};
const ADVICE_PAGE: Source = Source {
    title: "Stripe: card declines, retrying issuer declines",
    url: "https://docs.stripe.com/declines/card",
    read: "2026-11-25",
};

const DAY: u32 = 24 * 60 * 60;

const fn decline(code: &'static str, verdict: Verdict, meaning: &'static str) -> Row {
    Row {
        code,
        verdict,
        meaning,
        source: &CODES,
    }
}
const fn lpm(code: &'static str, verdict: Verdict, meaning: &'static str) -> Row {
    Row {
        code,
        verdict,
        meaning,
        source: &LOCAL_MEANS,
    }
}
const fn error(code: &'static str, verdict: Verdict, meaning: &'static str) -> Row {
    Row {
        code,
        verdict,
        meaning,
        source: &ERRORS,
    }
}
const fn advice(code: &'static str, verdict: Verdict, meaning: &'static str) -> Row {
    Row {
        code,
        verdict,
        meaning,
        source: &ADVICE_PAGE,
    }
}

/// By `decline_code`, else by the error's or the outcome's own code.
#[rustfmt::skip]
const LISTED: &[Row] = &[
    decline("authentication_required", Verdict::ask(AuthenticationRequired), "the issuer wants the payer to authenticate"),
    decline("authentication_not_handled", Verdict::ask(AuthenticationRequired), "the authentication that the issuer asked for was not carried out"),
    decline("mobile_device_authentication_required", Verdict::ask(AuthenticationRequired), "the payer has to authenticate on a mobile device"),
    decline("offline_pin_required", Verdict::ask(AuthenticationRequired), "the card wants its PIN"),
    decline("online_or_offline_pin_required", Verdict::ask(AuthenticationRequired), "the card wants its PIN"),
    decline("approve_with_id", Verdict::soft(ProcessingError), "the payment could not be authorized"),
    decline("issuer_not_available", Verdict::soft(ProcessingError), "the issuer could not be reached"),
    decline("processing_error", Verdict::soft(ProcessingError), "an error occurred while the card was processed"),
    decline("reenter_transaction", Verdict::soft(ProcessingError), "the issuer could not process the payment"),
    decline("try_again_later", Verdict::soft(ProcessingError), "declined for now, without a reason"),
    decline("insufficient_funds", Verdict::soft(InsufficientFunds), "the account is short of money"),
    decline("card_velocity_exceeded", Verdict::soft_after(LimitExceeded, DAY), "a limit of balance, credit or count was reached"),
    decline("withdrawal_count_limit_exceeded", Verdict::soft_after(LimitExceeded, DAY), "the card's limit of payments was reached"),
    decline("pin_try_exceeded", Verdict::ask(LimitExceeded), "a wrong PIN was entered too often"),
    decline("generic_decline", Verdict::soft(IssuerDecline), "declined without a reason"),
    decline("card_declined", Verdict::soft(IssuerDecline), "declined without a reason"),
    decline("do_not_honor", Verdict::soft(IssuerDecline), "the issuer declined without a reason"),
    decline("call_issuer", Verdict::ask(IssuerDecline), "the issuer wants to hear from the payer"),
    decline("no_action_taken", Verdict::ask(IssuerDecline), "the issuer took no action"),
    decline("not_permitted", Verdict::ask(IssuerDecline), "this payment is not permitted"),
    decline("service_not_allowed", Verdict::ask(IssuerDecline), "this kind of service is not allowed"),
    decline("transaction_not_allowed", Verdict::ask(IssuerDecline), "this kind of payment is not allowed"),
    decline("card_not_supported", Verdict::ask(IssuerDecline), "the card does not support this kind of purchase"),
    decline("currency_not_supported", Verdict::ask(IssuerDecline), "the card does not support the currency"),
    decline("security_violation", Verdict::ask_neutrally(IssuerDecline), "the issuer saw a breach of its security rules"),
    decline("do_not_try_again", Verdict::ask(DoNotRetry), "the issuer will not approve this card again"),
    decline("lost_card", Verdict::ask_neutrally(DoNotRetry), "the card was reported lost"),
    decline("stolen_card", Verdict::ask_neutrally(DoNotRetry), "the card was reported stolen"),
    decline("pickup_card", Verdict::ask_neutrally(DoNotRetry), "the card must not be used; it may be lost or stolen"),
    decline("restricted_card", Verdict::ask_neutrally(DoNotRetry), "the card must not be used for this; it may be lost or stolen"),
    decline("fraudulent", Verdict::ask_neutrally(DoNotRetry), "fraud is suspected"),
    decline("merchant_blacklist", Verdict::ask_neutrally(DoNotRetry), "the merchant's own block list has a value of this payment"),
    decline("highest_risk_level", Verdict::ask_neutrally(DoNotRetry), "blocked for its risk before the issuer was asked"),
    decline("revocation_of_authorization", Verdict::end(DoNotRetry), "the payer revoked this authorization"),
    decline("revocation_of_all_authorizations", Verdict::end(DoNotRetry), "the payer revoked every authorization"),
    decline("stop_payment_order", Verdict::end(DoNotRetry), "the payer had the payment stopped"),
    decline("expired_card", Verdict::ask(ExpiredCard), "the card has expired"),
    decline("incorrect_cvc", Verdict::ask(InvalidDetails), "the security code is wrong"),
    decline("invalid_cvc", Verdict::ask(InvalidDetails), "the security code is wrong"),
    decline("incorrect_address", Verdict::ask(InvalidDetails), "the billing address is wrong"),
    decline("incorrect_zip", Verdict::ask(InvalidDetails), "the postal code is wrong"),
    decline("incorrect_number", Verdict::ask(InvalidDetails), "the card number is wrong"),
    decline("invalid_number", Verdict::ask(InvalidDetails), "the card number is wrong"),
    decline("incorrect_pin", Verdict::ask(InvalidDetails), "the PIN is wrong"),
    decline("invalid_pin", Verdict::ask(InvalidDetails), "the PIN is wrong"),
    decline("invalid_expiry_month", Verdict::ask(InvalidDetails), "the month of expiry is wrong"),
    decline("invalid_expiry_year", Verdict::ask(InvalidDetails), "the year of expiry is wrong"),
    decline("invalid_account", Verdict::ask(InvalidDetails), "the card or its account is not valid"),
    decline("new_account_information_available", Verdict::ask(InvalidDetails), "the card was replaced by another"),
    decline("duplicate_transaction", Verdict::end(Duplicate), "the same amount was charged to the same card a moment before"),
    decline("invalid_amount", Verdict::end(Configuration), "the amount is not valid or more than is allowed"),
    decline("testmode_decline", Verdict::end(Configuration), "a test card was used"),
    error("payment_intent_authentication_failure", Verdict::ask(AuthenticationRequired), "the payer did not pass authentication"),
    error("setup_intent_authentication_failure", Verdict::ask(AuthenticationRequired), "the payer did not pass authentication"),
    error("payment_intent_payment_attempt_expired", Verdict::ask(AuthenticationRequired), "the payer did not finish in time"),
    error("payment_method_customer_decline", Verdict::ask(IssuerDecline), "the payer declined at the provider"),
    error("payment_intent_payment_attempt_failed", Verdict::soft(IssuerDecline), "the attempt failed, see the code beside it"),
    error("payment_method_provider_decline", Verdict::soft(IssuerDecline), "the provider of the means declined"),
    error("payment_method_provider_timeout", Verdict::soft(ProcessingError), "the provider of the means did not answer in time"),
    error("payment_method_not_available", Verdict::soft(ProcessingError), "the provider of the means is not available"),
    error("card_decline_rate_limit_exceeded", Verdict::soft_after(LimitExceeded, DAY), "the card was declined too often; Stripe blocks it for a day"),
    error("charge_exceeds_source_limit", Verdict::soft_after(LimitExceeded, 7 * DAY), "more than the means may be charged in a week"),
    error("payment_intent_mandate_invalid", Verdict::ask(DoNotRetry), "the mandate is not in force"),
    error("debit_not_authorized", Verdict::end(DoNotRetry), "the payer says that the debit was not authorized"),
    error("bank_account_unusable", Verdict::ask(InvalidDetails), "the bank account cannot be used"),
    error("postal_code_invalid", Verdict::ask(InvalidDetails), "the postal code is wrong"),
    error("amount_too_large", Verdict::end(Configuration), "the amount is more than is allowed"),
    error("amount_too_small", Verdict::end(Configuration), "the amount is less than is allowed"),
    error("lock_timeout", Verdict::soft(Network), "another request held the object"),
    lpm("partner_generic_decline", Verdict::soft(IssuerDecline), "the provider of the means declined without a reason"),
    lpm("partner_payment_not_found", Verdict::soft(ProcessingError), "the provider of the means cannot find the payment"),
    lpm("partner_processing_error", Verdict::soft(ProcessingError), "the provider of the means had an error"),
    lpm("partner_insufficient_funds", Verdict::soft(InsufficientFunds), "the payer's account at the provider is short of money"),
    lpm("payment_limit_exceeded", Verdict::ask(LimitExceeded), "more than the payer's account at the provider allows"),
    lpm("partner_invalid_currency", Verdict::ask(IssuerDecline), "the provider of the means does not support the currency"),
    lpm("invalid_customer_account", Verdict::ask(InvalidDetails), "the payer's account cannot be charged until the payer mends it"),
    lpm("invalid_payment_information", Verdict::ask(InvalidDetails), "something in the payment's details is not valid"),
    lpm("partner_expired_card", Verdict::ask(ExpiredCard), "the card kept at the provider has expired"),
    lpm("expired_payment_information", Verdict::ask(ExpiredCard), "the means behind it have expired"),
    lpm("invalid_billing_agreement", Verdict::ask(DoNotRetry), "the payer's billing agreement is not in force"),
    lpm("partner_high_risk_customer", Verdict::ask_neutrally(DoNotRetry), "the provider counts the payer as a high risk"),
    lpm("compliance_violation", Verdict::ask_neutrally(DoNotRetry), "the payment breaks terms, programme rules or laws"),
    lpm("invalid_authorization", Verdict::end(DoNotRetry), "the authorization is not valid or was revoked"),
    lpm("payment_disputed", Verdict::end(DoNotRetry), "the payment is disputed"),
    lpm("partner_duplicate_transaction", Verdict::end(Duplicate), "the same payment was sent a moment before"),
    lpm("partner_invalid_amount", Verdict::end(Configuration), "the provider does not allow the amount"),
    lpm("invalid_business_account", Verdict::end(Configuration), "the merchant's account at the provider is deactivated"),
    error("rate_limit", Verdict::soft(Network), "too many requests at once"),
];

/// As they are looked up.
pub(super) const ROWS: &[Row] = &sorted::<{ LISTED.len() }>(LISTED);

/// By `advice_code`.
#[rustfmt::skip]
const ADVICE_LISTED: &[Row] = &[
    advice("do_not_try_again", Verdict::ask(DoNotRetry), "the issuer will not approve this card again"),
    advice("try_again_later", Verdict::soft(Unknown), "the issuer may approve later"),
    advice("confirm_card_data", Verdict::ask(InvalidDetails), "the card's details have to be confirmed"),
];

/// As they are looked up.
pub(super) const ADVICE: &[Row] = &sorted::<{ ADVICE_LISTED.len() }>(ADVICE_LISTED);
