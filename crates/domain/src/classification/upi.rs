//! UPI's response codes, as banks and NPCI's switch give them. They are a
//! namespace of their own: `96` and `59` mean other things on a card.
//!
//! A UPI payment that timed out may still succeed or be reversed; such codes
//! are pending, and nobody is charged or asked to pay until that is known.

use super::Category::{
    AuthenticationRequired, Configuration, DoNotRetry, Duplicate, ExpiredCard, InsufficientFunds,
    InvalidDetails, IssuerDecline, LimitExceeded, Network, ProcessingError, UpiDeclined,
    UpiPending,
};
use super::table::{Row, Source, Verdict, sorted};

const NPCI: Source = Source {
    title: "NPCI: UPI error and response codes 2.5, as M2P publishes them",
    url: "https://dev.m2p.app/docs/upi/npci-error-codes",
    read: "2026-11-25",
};
const HDFC: Source = Source {
    title: "HDFC Bank SmartGateway and Juspay: UPI error codes",
    url: "https://smartgateway.hdfcbank.com/docs/hdfc-resources/docs/common-resources/upi-error-codes",
    read: "2026-11-25",
};
const JUSPAY: Source = Source {
    title: "Juspay: NPCI response codes",
    url: "https://juspay.io/in/docs/upi-tpap-sdk/flutter/resources/response-codes",
    read: "2026-11-25",
};
const ARIHANT: Source = Source {
    title: "Arihant: why did my UPI transaction fail, with NPCI's descriptions",
    url: "https://support.arihantplus.com/support/solutions/articles/33000296758-why-did-my-upi-transaction-fail-",
    read: "2026-11-25",
};
const GENERAL: Source = Source {
    title: "NPCI: UPI error and response codes, from general knowledge",
    url: "",
    read: "2026-11-25",
};

const DAY: u32 = 24 * 60 * 60;

const fn from(
    source: &'static Source,
    code: &'static str,
    verdict: Verdict,
    meaning: &'static str,
) -> Row {
    Row {
        code,
        verdict,
        meaning,
        source,
    }
}
const fn npci(code: &'static str, verdict: Verdict, meaning: &'static str) -> Row {
    from(&NPCI, code, verdict, meaning)
}
const fn hdfc(code: &'static str, verdict: Verdict, meaning: &'static str) -> Row {
    from(&HDFC, code, verdict, meaning)
}
const fn juspay(code: &'static str, verdict: Verdict, meaning: &'static str) -> Row {
    from(&JUSPAY, code, verdict, meaning)
}
const fn arihant(code: &'static str, verdict: Verdict, meaning: &'static str) -> Row {
    from(&ARIHANT, code, verdict, meaning)
}
const fn other(code: &'static str, verdict: Verdict, meaning: &'static str) -> Row {
    from(&GENERAL, code, verdict, meaning)
}

/// By the response code.
#[rustfmt::skip]
const LISTED: &[Row] = &[
    hdfc("Z9", Verdict::soft(InsufficientFunds), "the payer's account is short of money"),
    // The payer's bank declined.
    arihant("U30", Verdict::soft(IssuerDecline), "the payer's bank did not debit, without a reason"),
    hdfc("XB", Verdict::soft(IssuerDecline), "the payer's bank has no better code"),
    other("YC", Verdict::soft(IssuerDecline), "the payer's bank declined without a reason"),
    arihant("B3", Verdict::ask(IssuerDecline), "this payment is not permitted to the account"),
    hdfc("ZX", Verdict::ask(IssuerDecline), "the payer's account is dormant"),
    other("AJ", Verdict::ask(IssuerDecline), "the card behind the account is not active"),
    // Either a limit for the day or a suspicion; the stricter reading stands.
    npci("U16", Verdict::ask_neutrally(IssuerDecline), "the threshold of risk was exceeded"),
    // The means are finished.
    npci("59", Verdict::ask_neutrally(DoNotRetry), "the payer's bank suspects fraud"),
    other("K1", Verdict::ask_neutrally(DoNotRetry), "the payer's bank suspects fraud"),
    other("ZI", Verdict::ask_neutrally(DoNotRetry), "the merchant's bank suspects fraud"),
    hdfc("YE", Verdict::ask_neutrally(DoNotRetry), "the payer's account is blocked or frozen"),
    other("XV", Verdict::ask_neutrally(DoNotRetry), "a legal rule forbids the payment to the payer's bank"),
    other("XW", Verdict::ask_neutrally(DoNotRetry), "a legal rule forbids the payment to the merchant's bank"),
    other("YA", Verdict::ask_neutrally(DoNotRetry), "the card behind the account was lost or stolen"),
    other("XR", Verdict::ask_neutrally(DoNotRetry), "the card behind the account is restricted"),
    // Wrong details.
    hdfc("XH", Verdict::ask(InvalidDetails), "the payer's account does not exist"),
    hdfc("ZH", Verdict::ask(InvalidDetails), "the UPI address is wrong"),
    hdfc("B1", Verdict::ask(InvalidDetails), "the mobile number of the account was changed or removed"),
    hdfc("B6", Verdict::ask(InvalidDetails), "the payment's details do not match"),
    npci("52", Verdict::ask(InvalidDetails), "the payer's account is not valid"),
    other("U29", Verdict::ask(InvalidDetails), "the UPI address could not be resolved"),
    other("BR", Verdict::ask(InvalidDetails), "the mobile number belongs to several customers of the bank"),
    other("XN", Verdict::ask(InvalidDetails), "there is no card behind the account"),
    other("AM", Verdict::ask(InvalidDetails), "no UPI PIN is set"),
    other("XL", Verdict::ask(ExpiredCard), "the card behind the account has expired"),
    // The payer has to be there.
    hdfc("ZM", Verdict::ask(AuthenticationRequired), "the UPI PIN is wrong"),
    juspay("Z6", Verdict::ask(AuthenticationRequired), "a wrong UPI PIN was entered too often"),
    other("SP", Verdict::ask(AuthenticationRequired), "the card's PIN is wrong"),
    other("U66", Verdict::ask(AuthenticationRequired), "the device is not the one that was registered"),
    npci("U11", Verdict::ask(AuthenticationRequired), "the payer's credentials are missing"),
    // Limits. An amount above the limit of one payment is above it tomorrow too.
    hdfc("Z7", Verdict::soft_after(LimitExceeded, DAY), "too many payments in a while"),
    hdfc("ZU", Verdict::soft_after(LimitExceeded, DAY), "the limit at the payer's bank was reached"),
    hdfc("Z8", Verdict::ask(LimitExceeded), "more than the payer's bank allows in one payment"),
    npci("U02", Verdict::ask(LimitExceeded), "more than UPI allows in one payment"),
    // Banks, switches and the way there.
    npci("U03", Verdict::soft(ProcessingError), "the payer's bank has reached its own cap"),
    npci("U08", Verdict::soft(ProcessingError), "the switch had an error"),
    npci("U13", Verdict::soft(ProcessingError), "an error outside the switch"),
    npci("U14", Verdict::soft(ProcessingError), "the message could not be decrypted"),
    npci("U15", Verdict::soft(ProcessingError), "the message's checksum is wrong"),
    npci("U18", Verdict::soft(ProcessingError), "the UPI app did not acknowledge the request"),
    npci("U26", Verdict::soft(ProcessingError), "the merchant's bank did not acknowledge the credit"),
    hdfc("UP", Verdict::soft(ProcessingError), "the UPI app did not answer in time"),
    hdfc("UB", Verdict::soft(ProcessingError), "the bank's server had an error"),
    other("91", Verdict::soft(ProcessingError), "the payer's bank did not answer"),
    other("U28", Verdict::soft(ProcessingError), "the payer's bank or app is not available"),
    other("U31", Verdict::soft(ProcessingError), "the money could not be credited and goes back"),
    other("U53", Verdict::soft(ProcessingError), "the debit was not acknowledged"),
    other("U78", Verdict::soft(ProcessingError), "the merchant's bank is offline"),
    other("U86", Verdict::soft(ProcessingError), "the payer's bank takes no more payments just now"),
    other("XY", Verdict::soft(ProcessingError), "the payer's bank is offline"),
    other("Y1", Verdict::soft(ProcessingError), "the merchant's bank is offline"),
    other("XT", Verdict::soft(ProcessingError), "the payer's bank closes its day"),
    other("XU", Verdict::soft(ProcessingError), "the merchant's bank closes its day"),
    hdfc("XC", Verdict::soft(ProcessingError), "the merchant's bank has no better code"),
    other("YD", Verdict::soft(ProcessingError), "the merchant's bank declined without a reason"),
    other("XF", Verdict::soft(ProcessingError), "the payer's bank could not read the request"),
    other("XG", Verdict::soft(ProcessingError), "the merchant's bank could not read the request"),
    other("X7", Verdict::soft(ProcessingError), "the merchant could not be reached"),
    other("U85", Verdict::soft_after(Network, 30), "the connection for the credit timed out"),
    other("U88", Verdict::soft_after(Network, 30), "the connection for the debit timed out"),
    // The outcome is open.
    npci("01", Verdict::payer_retries(UpiPending, 0), "the outcome is not known yet"),
    juspay("RB", Verdict::payer_retries(UpiPending, 0), "debited, and not known to be credited"),
    juspay("96", Verdict::payer_retries(UpiPending, 0), "debited, and not known to be reversed"),
    other("BT", Verdict::payer_retries(UpiPending, 0), "the merchant's bank did not answer after the debit"),
    other("U67", Verdict::payer_retries(UpiPending, 0), "the debit timed out"),
    other("U68", Verdict::payer_retries(UpiPending, 0), "the credit timed out"),
    other("U70", Verdict::payer_retries(UpiPending, 0), "the answer came too late"),
    // The payer or the app said no, or nothing.
    npci("U19", Verdict::payer_retries(UpiDeclined, 0), "the UPI app declined the request"),
    npci("U09", Verdict::payer_retries(UpiDeclined, 0), "the request was not approved in time"),
    npci("U20", Verdict::payer_retries(UpiDeclined, 0), "the request was not approved in time"),
    juspay("ZA", Verdict::ask(UpiDeclined), "the payer declined the request"),
    juspay("U69", Verdict::ask(UpiDeclined), "the payer did not answer the request in time"),
    hdfc("ZE", Verdict::ask(UpiDeclined), "the UPI app does not permit this to the address"),
    hdfc("ZG", Verdict::ask(UpiDeclined), "the payer has restricted the UPI address"),
    npci("U17", Verdict::ask(UpiDeclined), "the UPI app is not registered"),
    npci("15", Verdict::ask(UpiDeclined), "the payer's bank is not on UPI"),
    npci("12", Verdict::ask(UpiDeclined), "the payment is not valid"),
    other("XJ", Verdict::ask(UpiDeclined), "the payer's bank does not support this"),
    other("XK", Verdict::ask(UpiDeclined), "the merchant's bank does not support this"),
    // Paid before.
    npci("U01", Verdict::end(Duplicate), "the same request was sent before"),
    other("94", Verdict::end(Duplicate), "the same payment was sent before"),
    // The merchant's side.
    npci("U05", Verdict::end(Configuration), "the request is not well formed"),
    npci("U07", Verdict::end(Configuration), "the request is not valid"),
    npci("U10", Verdict::end(Configuration), "the operation is not allowed"),
    npci("U12", Verdict::end(Configuration), "amount or currency do not match"),
    other("XD", Verdict::end(Configuration), "the amount is not valid"),
    other("XE", Verdict::end(Configuration), "the amount is not valid"),
    other("X6", Verdict::end(Configuration), "the merchant is not valid"),
    other("Z5", Verdict::end(Configuration), "the merchant's credentials are not valid"),
    hdfc("XI", Verdict::end(Configuration), "the merchant's account does not exist"),
    hdfc("YF", Verdict::end(Configuration), "the merchant's account is blocked or frozen"),
    hdfc("ZY", Verdict::end(Configuration), "the merchant's account is dormant"),
];

/// As they are looked up.
pub(super) const ROWS: &[Row] = &sorted::<{ LISTED.len() }>(LISTED);
