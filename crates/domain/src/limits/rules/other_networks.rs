//! Networks that publish no limit of tries: Tinko keeps one of its own for them.

use super::rule;
use crate::limits::CardNetwork::{self, Amex, Discover, Other, Rupay};
use crate::limits::pack::RulePack;
use crate::limits::rule::{BEGINNING, Binds, Counts, Rule, Source};

const BUDGET: Source = Source {
    title: "No published limit; juspay/hyperswitch (pull request 10206) budgets 20 in 30 days, and so does Tinko",
    url: "https://github.com/juspay/hyperswitch/pull/10206",
    read: "2026-11",
};

const fn twenty(networks: &'static [CardNetwork]) -> Binds {
    Binds::Tries {
        networks,
        counts: Counts::Declines,
        window_hours: 30 * 24,
        most: 20,
    }
}

const FIRST: RulePack = RulePack::NETWORK_WINDOWS;

#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    rule("amex-declines", "Tinko keeps American Express cards to 20 declines in 30 days", BUDGET, BEGINNING, FIRST, twenty(&[Amex])),
    rule("discover-declines", "Tinko keeps Discover cards to 20 declines in 30 days", BUDGET, BEGINNING, FIRST, twenty(&[Discover])),
    rule("rupay-declines", "Tinko keeps RuPay cards to 20 declines in 30 days", BUDGET, BEGINNING, FIRST, twenty(&[Rupay])),
    rule("other-network-declines", "Tinko keeps cards of other networks to 20 declines in 30 days", BUDGET, BEGINNING, FIRST, twenty(&[Other])),
];
