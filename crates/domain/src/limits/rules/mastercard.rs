//! Mastercard's transaction processing excellence programme. The rule book is
//! not public: these figures are as acquirers and PSPs publish them. Fees are
//! due from the try after the last allowed one.

use super::rule;
use crate::limits::CardNetwork::{self, Mastercard, Other};
use crate::limits::pack::RulePack;
use crate::limits::rule::{BEGINNING, Binds, Counts, Rule, Signal, Source};

const TABAPAY: Source = Source {
    title: "TabaPay, Excessive Retry Rules; Checkout.com, When can I retry a declined transaction",
    url: "https://developers.tabapay.com/docs/excessive-retry-rules",
    read: "2026-11",
};

const MASTERCARD: &[CardNetwork] = &[Mastercard];
const MASTERCARD_LIKE: &[CardNetwork] = &[Mastercard, Other];

const A_DAY: &str = "Mastercard allows 10 declines of one card in 24 hours";
const A_MONTH: &str = "Mastercard allows 35 declines of one card in 30 days";
const ADVISED: &str = "Mastercard charges for a try within 30 days of the advice not to try again (03) or that the payer cancelled (21)";

/// `TabaPay` counts the 35 by amount; all amounts together is stricter and is
/// what Checkout.com says.
const fn declines(networks: &'static [CardNetwork], window_hours: i64, most: u32) -> Binds {
    Binds::Tries {
        networks,
        counts: Counts::Declines,
        window_hours,
        most,
    }
}

const FIRST: RulePack = RulePack::NETWORK_WINDOWS;
const SECOND: RulePack = RulePack::RAILS_AND_HOURS;

#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    rule("mastercard-declines-a-day", A_DAY, TABAPAY, BEGINNING, FIRST, declines(MASTERCARD, 24, 10))
        .known_until(SECOND),
    rule("mastercard-declines-a-month", A_MONTH, TABAPAY, BEGINNING, FIRST, declines(MASTERCARD, 30 * 24, 35))
        .known_until(SECOND),
    rule("mastercard-declines-a-day", A_DAY, TABAPAY, BEGINNING, SECOND, declines(MASTERCARD_LIKE, 24, 10)),
    rule("mastercard-declines-a-month", A_MONTH, TABAPAY, BEGINNING, SECOND, declines(MASTERCARD_LIKE, 30 * 24, 35)),
    rule("mastercard-advice-03-21", ADVISED, TABAPAY, BEGINNING, SECOND, Binds::AfterCode {
        networks: MASTERCARD,
        signal: Signal::Advice,
        codes: &["03", "21"],
        pause_days: Some(30),
    }),
];
