//! Visa's rules on excessive reattempts. The rule book is not public: these
//! figures are as acquirers and PSPs publish them.
//!
//! Since 2025-05-19 Visa counts charges with and without the payer apart
//! (Checkout.com); here they are counted together, which is stricter.

use super::rule;
use crate::limits::CardNetwork::{self, Other, Visa};
use crate::limits::pack::RulePack;
use crate::limits::rule::{BEGINNING, Binds, Counts, Rule, Signal, Source, date};
use crate::limits::visa::{NEVER, NEVER_SINCE_SHIFT, SHIFT};

const TABAPAY: Source = Source {
    title: "TabaPay, Excessive Retry Rules and Visa's category codes; Checkout.com, response codes",
    url: "https://developers.tabapay.com/docs/excessive-retry-rules",
    read: "2026-11",
};
const CHECKOUT: Source = Source {
    title: "Checkout.com, When can I retry a declined transaction",
    url: "https://support.checkout.com/hc/en-us/articles/25482040901394-When-can-I-retry-a-declined-transaction",
    read: "2026-11",
};

/// The windows were first known of Visa cards alone, then kept for networks that
/// are none of those known too: a card of theirs may run over Visa's.
const VISA: &[CardNetwork] = &[Visa];
const VISA_LIKE: &[CardNetwork] = &[Visa, Other];

const FIFTEEN: &str = "Visa allows 15 reattempts of one card and amount in 30 days";
const TWENTY: &str = "Visa allows 20 reattempts of one card and amount in 30 days";
const FORBIDDEN: &str = "Visa forbids charging again after this decline (category 1)";

const fn reattempts(networks: &'static [CardNetwork], most: u32) -> Binds {
    Binds::Tries {
        networks,
        counts: Counts::ReattemptsOfAmount,
        window_hours: 30 * 24,
        most,
    }
}

const fn category_one(codes: &'static [&'static str]) -> Binds {
    Binds::AfterCode {
        networks: VISA,
        signal: Signal::Decline,
        codes,
        pause_days: None,
    }
}

const FIRST: RulePack = RulePack::NETWORK_WINDOWS;
const SECOND: RulePack = RulePack::RAILS_AND_HOURS;

#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    rule("visa-category-1", FORBIDDEN, TABAPAY, BEGINNING, FIRST, category_one(NEVER)),
    rule("visa-category-1-57", FORBIDDEN, TABAPAY, SHIFT, FIRST, category_one(NEVER_SINCE_SHIFT)),
    rule("visa-reattempts", FIFTEEN, TABAPAY, BEGINNING, FIRST, reattempts(VISA, 15))
        .ending(2025, 5, 1).known_until(SECOND),
    rule("visa-reattempts", TWENTY, TABAPAY, date(2025, 5, 1), FIRST, reattempts(VISA, 20))
        .known_until(SECOND),
    // The day was read as the 1st of the month before; Checkout.com names it.
    rule("visa-reattempts", FIFTEEN, CHECKOUT, BEGINNING, SECOND, reattempts(VISA_LIKE, 15))
        .ending(2025, 5, 19),
    rule("visa-reattempts", TWENTY, CHECKOUT, date(2025, 5, 19), SECOND, reattempts(VISA_LIKE, 20)),
];
