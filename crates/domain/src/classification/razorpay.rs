//! Razorpay's `error.reason`. Razorpay advises to decide by it: `error.code`
//! is a broad class, kept here for reports that carry nothing else.

use super::Category::{
    AuthenticationRequired, Configuration, DoNotRetry, Duplicate, ExpiredCard, InsufficientFunds,
    InvalidDetails, IssuerDecline, LimitExceeded, Network, ProcessingError, Unknown, UpiDeclined,
    UpiPending,
};
use super::table::{Row, Source, Verdict, sorted};

const LIST: Source = Source {
    title: "Razorpay: list of payment errors",
    url: "https://razorpay.com/docs/errors/payments/list/",
    read: "2026-11-25",
};
const CARDS: Source = Source {
    title: "Razorpay: card error codes",
    url: "https://razorpay.com/docs/errors/payments/cards/",
    read: "2026-11-25",
};
const UPI: Source = Source {
    title: "Razorpay: S2S UPI error codes",
    url: "https://razorpay.com/docs/payments/payment-gateway/s2s-integration/payment-methods/upi/error-codes",
    read: "2026-11-25",
};
const RECURRING: Source = Source {
    title: "Razorpay: error codes of recurring payments (UPI Autopay, e-mandates)",
    url: "https://razorpay.com/docs/payments/payment-gateway/s2s-integration/recurring-payments/upi/error-codes",
    read: "2026-11-25",
};

const DAY: u32 = 24 * 60 * 60;

const fn list(code: &'static str, verdict: Verdict, meaning: &'static str) -> Row {
    Row {
        code,
        verdict,
        meaning,
        source: &LIST,
    }
}
const fn card(code: &'static str, verdict: Verdict, meaning: &'static str) -> Row {
    Row {
        code,
        verdict,
        meaning,
        source: &CARDS,
    }
}
const fn upi(code: &'static str, verdict: Verdict, meaning: &'static str) -> Row {
    Row {
        code,
        verdict,
        meaning,
        source: &UPI,
    }
}
const fn mandate(code: &'static str, verdict: Verdict, meaning: &'static str) -> Row {
    Row {
        code,
        verdict,
        meaning,
        source: &RECURRING,
    }
}

/// By `error.reason`.
#[rustfmt::skip]
const LISTED: &[Row] = &[
    list("insufficient_funds", Verdict::soft(InsufficientFunds), "the account is short of money"),
    list("insufficient_fund", Verdict::soft(InsufficientFunds), "the account is short of money"),
    list("credit_limit_exceeded", Verdict::soft(InsufficientFunds), "the credit line is used up"),
    mandate("funds_blocked_by_mandate", Verdict::soft(InsufficientFunds), "the money is set aside for another mandate"),
    // Declined without a reason that helps.
    list("card_declined", Verdict::soft(IssuerDecline), "the payer's bank declined"),
    list("payment_failed", Verdict::soft(IssuerDecline), "the payer's bank declined"),
    list("payment_declined", Verdict::soft(IssuerDecline), "the payer's bank declined"),
    mandate("debit_declined", Verdict::soft(IssuerDecline), "the payer's bank declined the debit"),
    list("international_transaction_not_allowed", Verdict::ask(IssuerDecline), "payments across borders are not allowed"),
    list("user_not_eligible", Verdict::ask(IssuerDecline), "the payer may not use these means"),
    list("credit_not_permitted", Verdict::ask(IssuerDecline), "credit is not permitted on the account"),
    list("credit_limit_not_approved", Verdict::ask(IssuerDecline), "no credit line was approved"),
    list("credit_limit_expired", Verdict::ask(IssuerDecline), "the credit line has expired"),
    list("credit_limit_inactive", Verdict::ask(IssuerDecline), "the credit line is not active"),
    card("card_not_enrolled", Verdict::ask(IssuerDecline), "the card is not enabled for payments online"),
    card("card_disabled_for_online_payments", Verdict::ask(IssuerDecline), "the card is not enabled for payments online"),
    card("debit_instrument_inactive", Verdict::ask(IssuerDecline), "the card or account is not active"),
    list("card_type_invalid", Verdict::ask(IssuerDecline), "this type of card is not taken"),
    upi("transaction_not_allowed", Verdict::ask(IssuerDecline), "the bank's rules do not permit the payment to this account"),
    mandate("account_restricted", Verdict::ask(IssuerDecline), "the account is restricted"),
    // The means are finished.
    card("debit_instrument_blocked", Verdict::ask_neutrally(DoNotRetry), "the card or account is blocked"),
    card("payment_risk_check_failed", Verdict::ask_neutrally(DoNotRetry), "fraud is suspected"),
    list("compliance_violation", Verdict::ask_neutrally(DoNotRetry), "a legal rule forbids the payment"),
    list("payment_amount_tampered", Verdict::ask_neutrally(DoNotRetry), "the amount was changed on the way"),
    mandate("mandate_not_active", Verdict::ask(DoNotRetry), "the mandate is not in force"),
    mandate("payment_mandate_not_active", Verdict::ask(DoNotRetry), "the mandate is not in force"),
    mandate("mandate_expired", Verdict::ask(DoNotRetry), "the mandate has expired"),
    mandate("account_changed", Verdict::ask(DoNotRetry), "the account changed; the mandate has to be set up again"),
    mandate("mandate_revoked", Verdict::end(DoNotRetry), "the payer revoked the mandate"),
    mandate("mandate_cancelled", Verdict::end(DoNotRetry), "the payer cancelled the mandate"),
    mandate("mandate_paused", Verdict::end(DoNotRetry), "the payer paused the mandate"),
    // Wrong details.
    card("card_expired", Verdict::ask(ExpiredCard), "the card has expired"),
    list("card_number_invalid", Verdict::ask(InvalidDetails), "the card number is wrong"),
    card("incorrect_cvv", Verdict::ask(InvalidDetails), "the security code is wrong"),
    list("incorrect_card_details", Verdict::ask(InvalidDetails), "the card's details are wrong"),
    list("incorrect_card_expiry_date", Verdict::ask(InvalidDetails), "the date of expiry is wrong"),
    list("incorrect_cardholder_name", Verdict::ask(InvalidDetails), "the name is wrong"),
    list("incorrect_ifsc", Verdict::ask(InvalidDetails), "the branch code is wrong"),
    list("invalid_mobile_number", Verdict::ask(InvalidDetails), "the mobile number is wrong"),
    list("mobile_number_invalid", Verdict::ask(InvalidDetails), "the mobile number is wrong"),
    list("invalid_user_details", Verdict::ask(InvalidDetails), "the payer's details are wrong"),
    list("bank_account_invalid", Verdict::ask(InvalidDetails), "the bank account is not valid or closed"),
    list("bank_account_validation_failed", Verdict::ask(InvalidDetails), "the bank account could not be verified"),
    list("user_not_registered_for_netbanking", Verdict::ask(InvalidDetails), "the payer has no online banking"),
    upi("invalid_vpa", Verdict::ask(InvalidDetails), "the UPI address is wrong"),
    upi("vpa_resolution_failed", Verdict::ask(InvalidDetails), "the UPI address could not be resolved"),
    upi("account_does_not_exist", Verdict::ask(InvalidDetails), "the account does not exist"),
    upi("pin_not_set", Verdict::ask(InvalidDetails), "no UPI PIN is set"),
    upi("psp_not_registered", Verdict::ask(InvalidDetails), "the UPI app does not know the payer"),
    // The payer has to be there.
    list("authentication_failed", Verdict::ask(AuthenticationRequired), "3-D Secure or OTP authentication failed"),
    list("invalid_otp", Verdict::ask(AuthenticationRequired), "the OTP is wrong"),
    list("incorrect_otp", Verdict::ask(AuthenticationRequired), "the OTP is wrong"),
    list("otp_expired", Verdict::ask(AuthenticationRequired), "the OTP was entered too late"),
    list("otp_attempts_exceeded", Verdict::ask(AuthenticationRequired), "a wrong OTP was entered too often"),
    list("incorrect_atm_pin", Verdict::ask(AuthenticationRequired), "the PIN is wrong"),
    upi("incorrect_pin", Verdict::ask(AuthenticationRequired), "the UPI PIN is wrong"),
    upi("pin_attempts_exceeded", Verdict::ask(AuthenticationRequired), "a wrong UPI PIN was entered too often"),
    list("payment_timed_out", Verdict::ask(AuthenticationRequired), "the payer did not finish in time"),
    list("payment_cancelled", Verdict::ask(AuthenticationRequired), "the payer left before paying"),
    list("payment_session_expired", Verdict::ask(AuthenticationRequired), "the payer did not finish in time"),
    mandate("record_not_found", Verdict::ask(AuthenticationRequired), "the payer's session ended before the payment was done"),
    mandate("customer_action_required", Verdict::ask(AuthenticationRequired), "the payer did not approve the notice before the debit"),
    // Limits.
    list("transaction_limit_exceeded", Verdict::soft_after(LimitExceeded, DAY), "the limit of a payment or a day was reached"),
    upi("transaction_daily_limit_exceeded", Verdict::soft_after(LimitExceeded, DAY), "the limit of a day was reached"),
    upi("transaction_daily_count_exceeded", Verdict::soft_after(LimitExceeded, DAY), "too many payments in one day"),
    upi("transaction_frequency_limit_exceeded", Verdict::soft_after(LimitExceeded, DAY), "too many payments in a while"),
    upi("mcc_amount_limit_exceeded", Verdict::ask(LimitExceeded), "more than this kind of merchant may take over UPI"),
    list("emi_greater_than_max_amount", Verdict::ask(LimitExceeded), "more than may be paid in instalments"),
    // Banks, gateways and the way there.
    list("gateway_technical_error", Verdict::soft(ProcessingError), "the gateway's bank was down"),
    list("bank_technical_error", Verdict::soft(ProcessingError), "the payer's bank was down"),
    list("issuer_technical_error", Verdict::soft(ProcessingError), "the issuer was down"),
    list("bank_not_available", Verdict::soft(ProcessingError), "the bank was not available"),
    list("bank_cutoff_in_progress", Verdict::soft(ProcessingError), "the bank closes its day"),
    list("invalid_response_from_gateway", Verdict::soft(ProcessingError), "the gateway's answer made no sense"),
    list("payment_declined_due_to_high_traffic", Verdict::soft(ProcessingError), "too much traffic at the bank"),
    list("verification_failed", Verdict::soft(ProcessingError), "the payment could not be verified"),
    list("capture_failed", Verdict::soft(ProcessingError), "the payment could not be captured"),
    upi("credit_failed", Verdict::soft(ProcessingError), "the money could not be credited and goes back"),
    upi("upi_app_technical_error", Verdict::soft(ProcessingError), "the UPI app had trouble"),
    upi("psp_not_available", Verdict::soft(ProcessingError), "the UPI app's provider was not available"),
    upi("psp_app_not_available", Verdict::soft(ProcessingError), "the UPI app was not available"),
    list("server_error", Verdict::soft_after(Network, 30), "Razorpay had trouble"),
    list("request_timed_out", Verdict::soft_after(Network, 30), "the request timed out"),
    // UPI: a peak-hour failure may only be queued and still succeed.
    upi("collect_request_pending", Verdict::payer_retries(UpiPending, 0), "the payer has not answered the request yet"),
    upi("payment_pending", Verdict::payer_retries(UpiPending, 0), "the outcome is not known yet"),
    upi("deemed_transaction", Verdict::payer_retries(UpiPending, 0), "debited, and not known to be credited"),
    upi("payment_collect_request_expired", Verdict::ask(UpiDeclined), "the payer did not answer the request in time"),
    upi("authorisation_declined_by_psp", Verdict::payer_retries(UpiDeclined, 0), "the UPI app declined"),
    upi("transaction_on_vpa_restricted", Verdict::ask(UpiDeclined), "the UPI address may not be used for this"),
    upi("psp_app_not_supported", Verdict::ask(UpiDeclined), "the UPI app is not supported"),
    upi("bank_not_live_on_upi", Verdict::ask(UpiDeclined), "the bank is not on UPI"),
    mandate("upi_autopay_not_supported_on_psp", Verdict::ask(UpiDeclined), "the UPI app has no autopay"),
    // Mandates that were never set up.
    mandate("already_declined", Verdict::soft_after(IssuerDecline, DAY), "the mandate was declined before; NPCI blocks it for a day"),
    mandate("mandate_creation_failed", Verdict::ask(IssuerDecline), "the mandate could not be set up"),
    mandate("mandate_creation_declined", Verdict::ask(IssuerDecline), "the mandate was declined"),
    mandate("mandate_creation_expired", Verdict::ask(AuthenticationRequired), "the payer did not approve the mandate in time"),
    mandate("mandate_creation_timeout", Verdict::ask(AuthenticationRequired), "the payer did not approve the mandate in time"),
    mandate("reqauth_mandate_not_acknowledged", Verdict::soft(ProcessingError), "the mandate's request was not acknowledged"),
    // Paid before.
    list("duplicate_request", Verdict::end(Duplicate), "the same payment was asked for before"),
    upi("duplicate_rrn_found", Verdict::end(Duplicate), "the same payment was asked for before"),
    list("order_already_paid", Verdict::end(Duplicate), "the order is paid"),
    mandate("mandate_already_executed", Verdict::end(Duplicate), "this cycle's debit was made"),
    mandate("duplicate_mandate_request", Verdict::end(Duplicate), "the same mandate was asked for before"),
    // The merchant's side.
    list("input_validation_failed", Verdict::end(Configuration), "the request was wrong"),
    mandate("request_validation_failed", Verdict::end(Configuration), "the request was wrong"),
    list("invalid_request", Verdict::end(Configuration), "the request was wrong"),
    list("invalid_amount", Verdict::end(Configuration), "the amount is not valid"),
    list("amount_less_than_minimum_amount", Verdict::end(Configuration), "the amount is below the bank's least"),
    list("invalid_currency", Verdict::end(Configuration), "the currency is not enabled"),
    list("invalid_order_id", Verdict::end(Configuration), "the order does not exist"),
    list("order_amount_mismatch", Verdict::end(Configuration), "the amount is not the order's"),
    list("order_payment_method_mismatch", Verdict::end(Configuration), "the means are not the order's"),
    list("card_network_not_enabled", Verdict::end(Configuration), "the card's network is not enabled"),
    list("bank_not_enabled", Verdict::end(Configuration), "the bank is not enabled"),
    list("payment_method_not_enabled", Verdict::end(Configuration), "the means are not enabled"),
    list("recurring_payment_not_enabled", Verdict::end(Configuration), "recurring payments are not enabled"),
    list("live_mode_not_enabled", Verdict::end(Configuration), "live mode is not enabled"),
    list("merchant_not_activated", Verdict::end(Configuration), "the merchant's account is not active"),
    upi("upi_collect_not_enabled", Verdict::end(Configuration), "UPI requests are not enabled"),
    upi("upi_intent_not_enabled", Verdict::end(Configuration), "UPI intents are not enabled"),
    upi("beneficiary_account_does_not_exist", Verdict::end(Configuration), "the merchant's account does not exist"),
    upi("beneficiary_account_dormant", Verdict::end(Configuration), "the merchant's account is dormant"),
    mandate("beneficiary_account_not_found", Verdict::end(Configuration), "the merchant's account does not exist"),
    // The broad classes.
    list("GATEWAY_ERROR", Verdict::soft(ProcessingError), "a bank or gateway failed"),
    list("BAD_REQUEST_ERROR", Verdict::soft(Unknown), "failed, without a reason"),
];

/// As they are looked up.
pub(super) const ROWS: &[Row] = &sorted::<{ LISTED.len() }>(LISTED);
