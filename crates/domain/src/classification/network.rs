//! The networks' own decline codes: ISO 8583 field 39 with Visa's and
//! Mastercard's additions, and American Express' three digits. Two- and
//! three-character codes don't meet, so one table holds them.
//!
//! Where networks differ in a code, the stricter reading stands. Mastercard
//! issuers in Europe also send 65 to ask for authentication, which an
//! off-session charge a day later does not give: it is declined again and its
//! PSP code says so then.

use super::Category::{
    AuthenticationRequired, Configuration, DoNotRetry, Duplicate, ExpiredCard, InsufficientFunds,
    InvalidDetails, IssuerDecline, LimitExceeded, ProcessingError,
};
use super::table::{Row, Source, Verdict, sorted};

const PUBLISHED: Source = Source {
    title: "Checkout.com, Cielo and TabaPay on network response codes and Visa's categories",
    url: "https://www.checkout.com/docs/developer-resources/codes/response-codes",
    read: "2026-11-25",
};
const GENERAL: Source = Source {
    title: "ISO 8583 response codes, from general knowledge",
    url: "",
    read: "2026-11-25",
};
const AMEX: Source = Source {
    title: "American Express response codes, from general knowledge",
    url: "",
    read: "2026-11-25",
};

const DAY: u32 = 24 * 60 * 60;

const fn row(code: &'static str, verdict: Verdict, meaning: &'static str) -> Row {
    Row {
        code,
        verdict,
        meaning,
        source: &PUBLISHED,
    }
}
const fn iso(code: &'static str, verdict: Verdict, meaning: &'static str) -> Row {
    Row {
        code,
        verdict,
        meaning,
        source: &GENERAL,
    }
}
const fn amex(code: &'static str, verdict: Verdict, meaning: &'static str) -> Row {
    Row {
        code,
        verdict,
        meaning,
        source: &AMEX,
    }
}

/// By the network's decline code.
#[rustfmt::skip]
const LISTED: &[Row] = &[
    iso("01", Verdict::ask(IssuerDecline), "refer to the issuer"),
    iso("02", Verdict::ask(IssuerDecline), "refer to the issuer, special condition"),
    row("03", Verdict::end(Configuration), "the merchant is not valid"),
    row("04", Verdict::ask_neutrally(DoNotRetry), "pick up the card"),
    row("05", Verdict::soft(IssuerDecline), "do not honour"),
    iso("06", Verdict::soft(ProcessingError), "error"),
    row("07", Verdict::ask_neutrally(DoNotRetry), "pick up the card, fraud"),
    row("12", Verdict::ask(IssuerDecline), "the transaction is not valid"),
    iso("13", Verdict::end(Configuration), "the amount is not valid"),
    row("14", Verdict::ask(InvalidDetails), "the card number is wrong"),
    row("15", Verdict::ask(InvalidDetails), "no such issuer"),
    row("19", Verdict::soft(ProcessingError), "enter the transaction again"),
    iso("21", Verdict::ask(IssuerDecline), "no action taken"),
    iso("25", Verdict::soft(ProcessingError), "the record could not be found"),
    iso("28", Verdict::soft(ProcessingError), "the file is not available for now"),
    iso("30", Verdict::soft(ProcessingError), "format error"),
    iso("39", Verdict::ask(InvalidDetails), "no credit account"),
    row("41", Verdict::ask_neutrally(DoNotRetry), "the card was reported lost"),
    row("43", Verdict::ask_neutrally(DoNotRetry), "the card was reported stolen"),
    row("46", Verdict::ask(DoNotRetry), "the account is closed"),
    row("51", Verdict::soft(InsufficientFunds), "the account is short of money"),
    iso("52", Verdict::ask(InvalidDetails), "no current account"),
    iso("53", Verdict::ask(InvalidDetails), "no savings account"),
    row("54", Verdict::ask(ExpiredCard), "the card has expired"),
    row("55", Verdict::ask(InvalidDetails), "the PIN is wrong"),
    row("57", Verdict::ask(IssuerDecline), "not permitted to the cardholder"),
    iso("58", Verdict::ask(IssuerDecline), "not permitted to the merchant"),
    row("59", Verdict::ask_neutrally(DoNotRetry), "fraud is suspected"),
    row("61", Verdict::soft_after(LimitExceeded, DAY), "the limit of amount was reached"),
    row("62", Verdict::ask_neutrally(DoNotRetry), "the card is restricted"),
    iso("63", Verdict::ask_neutrally(IssuerDecline), "security violation"),
    iso("64", Verdict::ask_neutrally(IssuerDecline), "a rule against money laundering is not met"),
    row("65", Verdict::soft_after(LimitExceeded, DAY), "the limit of count was reached"),
    iso("68", Verdict::soft(ProcessingError), "the answer came too late"),
    row("70", Verdict::ask(AuthenticationRequired), "PIN required, or call the issuer"),
    iso("71", Verdict::ask(InvalidDetails), "the PIN was not changed"),
    row("75", Verdict::ask(LimitExceeded), "a wrong PIN was entered too often"),
    iso("76", Verdict::ask(InvalidDetails), "the account to credit is not valid"),
    iso("77", Verdict::ask(InvalidDetails), "the account to debit is not valid"),
    row("78", Verdict::ask(IssuerDecline), "blocked, first used, or no such account"),
    iso("79", Verdict::ask(InvalidDetails), "the card was replaced or has ended"),
    row("82", Verdict::ask(InvalidDetails), "the security code is wrong"),
    row("83", Verdict::ask_neutrally(DoNotRetry), "fraud or security"),
    iso("84", Verdict::soft(ProcessingError), "the authorization's life cycle is not valid"),
    iso("85", Verdict::soft(ProcessingError), "no reason to decline"),
    row("86", Verdict::ask(InvalidDetails), "the PIN could not be verified"),
    iso("88", Verdict::soft(ProcessingError), "cryptographic failure"),
    iso("89", Verdict::ask(InvalidDetails), "the PIN is not acceptable"),
    iso("90", Verdict::soft(ProcessingError), "the day is being closed"),
    row("91", Verdict::soft(ProcessingError), "the issuer or switch is not available"),
    iso("92", Verdict::soft(ProcessingError), "the issuer could not be found for routing"),
    row("93", Verdict::ask_neutrally(DoNotRetry), "a law would be broken"),
    iso("94", Verdict::end(Duplicate), "the same transaction was sent before"),
    row("96", Verdict::soft(ProcessingError), "system malfunction"),
    row("1A", Verdict::ask(AuthenticationRequired), "the payer has to authenticate"),
    row("5C", Verdict::ask(IssuerDecline), "not supported, or blocked by the issuer"),
    row("6P", Verdict::ask(InvalidDetails), "the verification data are wrong"),
    row("9G", Verdict::ask(IssuerDecline), "blocked by the cardholder"),
    iso("N0", Verdict::soft(ProcessingError), "stand-in processing was forced"),
    iso("N4", Verdict::soft_after(LimitExceeded, DAY), "the limit of amount was reached"),
    row("N7", Verdict::ask(InvalidDetails), "the security code is wrong"),
    iso("Q1", Verdict::ask(AuthenticationRequired), "the card could not be authenticated"),
    row("R0", Verdict::end(DoNotRetry), "the payer had the payment stopped"),
    row("R1", Verdict::end(DoNotRetry), "the payer revoked this authorization"),
    row("R3", Verdict::end(DoNotRetry), "the payer revoked every authorization"),
    iso("Z3", Verdict::soft(ProcessingError), "the issuer could not be asked"),
    amex("100", Verdict::soft(IssuerDecline), "denied"),
    amex("101", Verdict::ask(ExpiredCard), "the card has expired"),
    amex("106", Verdict::ask(LimitExceeded), "a wrong PIN was entered too often"),
    amex("109", Verdict::end(Configuration), "the merchant is not valid"),
    amex("110", Verdict::end(Configuration), "the amount is not valid"),
    amex("111", Verdict::ask(InvalidDetails), "the account is not valid"),
    amex("115", Verdict::ask(IssuerDecline), "the function is not supported"),
    amex("116", Verdict::soft(InsufficientFunds), "the account is short of money"),
    amex("117", Verdict::ask(InvalidDetails), "the PIN is wrong"),
    amex("119", Verdict::ask(IssuerDecline), "not permitted to the cardholder"),
    amex("121", Verdict::soft_after(LimitExceeded, DAY), "a limit was reached"),
    amex("122", Verdict::ask(InvalidDetails), "the security code is wrong"),
    amex("130", Verdict::ask(AuthenticationRequired), "the payer has to authenticate"),
    amex("181", Verdict::soft(ProcessingError), "format error"),
    amex("183", Verdict::end(Configuration), "the currency is not valid"),
    amex("187", Verdict::ask(InvalidDetails), "the card was replaced by another"),
    amex("189", Verdict::ask(DoNotRetry), "the account is closed"),
    amex("200", Verdict::ask_neutrally(DoNotRetry), "pick up the card"),
    amex("909", Verdict::soft(ProcessingError), "system malfunction"),
    amex("911", Verdict::soft(ProcessingError), "the issuer did not answer in time"),
    amex("912", Verdict::soft(ProcessingError), "the issuer is not available"),
];

/// As they are looked up.
pub(super) const ROWS: &[Row] = &sorted::<{ LISTED.len() }>(LISTED);
