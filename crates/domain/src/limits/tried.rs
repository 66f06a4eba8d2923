//! The ceilings as the planner asked for them before the dated rules of
//! [`super::RulePack`]; they go once it has moved over.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::rule::{BEGINNING, date};
use super::{CardNetwork, VisaCategory, visa_category};

/// What a network says to one more charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LegacyCeiling {
    /// It may be made.
    Allowed,
    /// Too many were made lately: not before this time.
    NotBefore(DateTime<Utc>),
    /// Not again, for the reason given.
    Never(&'static str),
}

/// What was tried on one card.
#[derive(Debug, Clone, Copy)]
pub struct Tried<'a> {
    /// The card's network; unknown ones are held to every network's ceiling.
    pub network: Option<CardNetwork>,
    /// The first charge, which failed.
    pub first: DateTime<Utc>,
    /// Every charge after it, in any order.
    pub again: &'a [DateTime<Utc>],
    /// The network's own code of the latest decline, if the PSP told it.
    pub decline_code: Option<&'a str>,
}

/// A network's rule on how many charges may be made within a rolling window.
#[derive(Debug, Clone, Copy)]
struct Window {
    network: CardNetwork,
    /// From when the rule holds; a later rule of the same network and length replaces it.
    since: NaiveDate,
    days: i64,
    most: usize,
    /// Whether the first, failed charge counts too.
    counts_first: bool,
}

/// The windows, each with where it is from. The networks' own rule books are
/// not public: these figures are as acquirers and PSPs publish them, read 2026-11.
const WINDOWS: &[Window] = &[
    // Visa: 15 reattempts of one card and amount in 30 days (Checkout.com's and
    // Payway's notes on the excessive reattempts rule), 20 since 2025-05 (Cielo's
    // changelog, TabaPay). The first charge is no reattempt.
    Window {
        network: CardNetwork::Visa,
        since: BEGINNING,
        days: 30,
        most: 15,
        counts_first: false,
    },
    Window {
        network: CardNetwork::Visa,
        since: date(2025, 5, 1),
        days: 30,
        most: 20,
        counts_first: false,
    },
    // Mastercard: fees from the 11th decline in 24 hours and the 36th in 30 days
    // on one card (TabaPay on the transaction processing excellence programme).
    Window {
        network: CardNetwork::Mastercard,
        since: BEGINNING,
        days: 1,
        most: 10,
        counts_first: true,
    },
    Window {
        network: CardNetwork::Mastercard,
        since: BEGINNING,
        days: 30,
        most: 35,
        counts_first: true,
    },
    // American Express and Discover publish none; juspay/hyperswitch (PR 10206)
    // budgets 20 in 30 days, and so do we, for the remaining networks too.
    Window {
        network: CardNetwork::Amex,
        since: BEGINNING,
        days: 30,
        most: 20,
        counts_first: true,
    },
    Window {
        network: CardNetwork::Discover,
        since: BEGINNING,
        days: 30,
        most: 20,
        counts_first: true,
    },
    Window {
        network: CardNetwork::Rupay,
        since: BEGINNING,
        days: 30,
        most: 20,
        counts_first: true,
    },
    Window {
        network: CardNetwork::Other,
        since: BEGINNING,
        days: 30,
        most: 20,
        counts_first: true,
    },
];

/// Whether the networks let the card be charged once more at `at`.
///
/// A network that is not known is held to the strictest of all.
pub fn earliest_charge(tried: &Tried<'_>, at: DateTime<Utc>) -> LegacyCeiling {
    if let Some(why) = forbidden(tried, at) {
        return LegacyCeiling::Never(why);
    }
    let mut earliest = at;
    // A later start may fall under another window, so look until nothing moves.
    while let Some(later) = windows_at(tried.network, earliest)
        .filter_map(|window| free_at(&window, tried, earliest))
        .max()
    {
        earliest = later;
    }
    if earliest == at {
        LegacyCeiling::Allowed
    } else {
        LegacyCeiling::NotBefore(earliest)
    }
}

fn forbidden(tried: &Tried<'_>, at: DateTime<Utc>) -> Option<&'static str> {
    let code = tried.decline_code?;
    let never = visa_category(code, at.date_naive()) == VisaCategory::NeverApproves;
    (tried.network == Some(CardNetwork::Visa) && never)
        .then_some("Visa forbids charging again after this decline (category 1)")
}

/// The windows that hold for a network on a day: of one network and length, the newest.
fn windows_at(network: Option<CardNetwork>, at: DateTime<Utc>) -> impl Iterator<Item = Window> {
    let day = at.date_naive();
    let holds = move |window: &Window| {
        network.is_none_or(|wanted| wanted == window.network) && window.since <= day
    };
    WINDOWS.iter().copied().filter(move |window| {
        holds(window)
            && !WINDOWS.iter().any(|newer| {
                newer.network == window.network
                    && newer.days == window.days
                    && newer.since > window.since
                    && newer.since <= day
            })
    })
}

/// When a full window has room again; nothing if it has room at `at`.
fn free_at(window: &Window, tried: &Tried<'_>, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let length = TimeDelta::days(window.days);
    let mut within: Vec<DateTime<Utc>> = tried
        .again
        .iter()
        .copied()
        .chain(window.counts_first.then_some(tried.first))
        .filter(|charge| charge.checked_add_signed(length).is_none_or(|end| end > at))
        .collect();
    within.sort_unstable();
    // The window has room when only `most - 1` of them are left in it.
    let leaves = within.len().checked_sub(window.most)?;
    within
        .get(leaves)
        .and_then(|charge| charge.checked_add_signed(length))
}

#[cfg(test)]
#[path = "tried_tests.rs"]
mod tests;
