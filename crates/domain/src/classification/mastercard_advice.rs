//! Mastercard's merchant advice codes (field 48, subelement 84). Mastercard's
//! only: another network's or PSP's 03 means something else.

use super::Category::{Configuration, DoNotRetry, InvalidDetails, Unknown};
use super::table::{Row, Source, Verdict, sorted};

const PUBLISHED: Source = Source {
    title: "Braintree, Antom and Solidgate on Mastercard merchant advice codes (they agree)",
    url: "https://developer.paypal.com/braintree/docs/reference/general/merchant-advice-codes",
    read: "2026-11-25",
};
const GENERAL: Source = Source {
    title: "Mastercard merchant advice codes, from general knowledge",
    url: "",
    read: "2026-11-25",
};

const HOUR: u32 = 60 * 60;
const DAY: u32 = 24 * HOUR;

const fn row(code: &'static str, verdict: Verdict, meaning: &'static str) -> Row {
    Row {
        code,
        verdict,
        meaning,
        source: &PUBLISHED,
    }
}

/// By the merchant advice code. The waits of 24 to 30 are earliest times.
#[rustfmt::skip]
const LISTED: &[Row] = &[
    row("01", Verdict::ask(InvalidDetails), "new account information is available"),
    // Mastercard names no time here; Solidgate advises 72 hours.
    row("02", Verdict::soft_after(Unknown, 3 * DAY), "cannot approve at this time"),
    // Trying again within 30 days is charged for.
    row("03", Verdict::ask(DoNotRetry), "do not try again"),
    row("04", Verdict::ask(Configuration), "requirements of the token are not met"),
    row("21", Verdict::end(DoNotRetry), "the payer cancelled the agreement"),
    row("22", Verdict::ask(Configuration), "the merchant does not qualify for the product"),
    row("24", Verdict::soft_after(Unknown, HOUR), "try again after 1 hour"),
    row("25", Verdict::soft_after(Unknown, DAY), "try again after 24 hours"),
    row("26", Verdict::soft_after(Unknown, 2 * DAY), "try again after 2 days"),
    row("27", Verdict::soft_after(Unknown, 4 * DAY), "try again after 4 days"),
    row("28", Verdict::soft_after(Unknown, 6 * DAY), "try again after 6 days"),
    row("29", Verdict::soft_after(Unknown, 8 * DAY), "try again after 8 days"),
    row("30", Verdict::soft_after(Unknown, 10 * DAY), "try again after 10 days"),
    row("40", Verdict::soft(Unknown), "a prepaid card that cannot be loaded again"),
    row("41", Verdict::ask(InvalidDetails), "a virtual card for one use"),
    Row {
        code: "42",
        verdict: Verdict::ask_neutrally(DoNotRetry),
        meaning: "the score for sanctions is too high",
        source: &GENERAL,
    },
    row("43", Verdict::soft(Unknown), "a virtual card for several uses"),
];

/// As they are looked up.
pub(super) const ROWS: &[Row] = &sorted::<{ LISTED.len() }>(LISTED);
