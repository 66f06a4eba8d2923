//! The card networks' ceilings on trying a charge again. They bind every
//! policy: a plan never crosses one.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::state::named;

named! {
    /// A card network.
    CardNetwork, "card network" {
        /// Visa.
        Visa = "visa",
        /// Mastercard.
        Mastercard = "mastercard",
        /// American Express.
        Amex = "amex",
        /// Discover, with Diners Club.
        Discover = "discover",
        /// `RuPay`.
        Rupay = "rupay",
        /// Any other.
        Other = "other",
    }
}

impl CardNetwork {
    /// Reads a PSP's name for a network (`visa`, `MasterCard`, `American Express`); an unknown one is [`Self::Other`].
    pub fn from_psp(name: &str) -> Self {
        let letters: String = name
            .chars()
            .filter(char::is_ascii_alphabetic)
            .map(|c| c.to_ascii_lowercase())
            .collect();
        match letters.as_str() {
            "visa" => Self::Visa,
            "mastercard" | "mc" | "maestro" => Self::Mastercard,
            "amex" | "americanexpress" => Self::Amex,
            "discover" | "diners" | "dinersclub" => Self::Discover,
            "rupay" => Self::Rupay,
            _ => Self::Other,
        }
    }
}

/// What a network says to one more charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ceiling {
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

const fn date(year: i32, month: u32, day: u32) -> NaiveDate {
    match NaiveDate::from_ymd_opt(year, month, day) {
        Some(date) => date,
        None => NaiveDate::MIN,
    }
}

const BEGINNING: NaiveDate = date(2000, 1, 1);

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

/// What Visa makes of an issuer's response code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VisaCategory {
    /// 1: the issuer will never approve; no charge again.
    NeverApproves,
    /// 2: it cannot approve now.
    NotNow,
    /// 3: the data are wrong.
    DataQuality,
    /// 4: everything else.
    Generic,
}

/// Codes of category 1 with the day from which they are (TabaPay, Checkout.com, read 2026-11).
const VISA_NEVER: &[(&str, NaiveDate)] = &[
    ("04", BEGINNING),
    ("07", BEGINNING),
    ("12", BEGINNING),
    ("14", BEGINNING),
    ("15", BEGINNING),
    ("41", BEGINNING),
    ("43", BEGINNING),
    ("46", BEGINNING),
    ("57", date(2026, 10, 25)),
    ("R0", BEGINNING),
    ("R1", BEGINNING),
    ("R3", BEGINNING),
];

/// Codes of category 2, likewise (Checkout.com, Cielo, TabaPay).
const VISA_NOT_NOW: &[(&str, NaiveDate)] = &[
    ("03", BEGINNING),
    ("19", BEGINNING),
    ("51", BEGINNING),
    ("59", BEGINNING),
    ("61", BEGINNING),
    ("62", BEGINNING),
    ("65", BEGINNING),
    ("75", BEGINNING),
    ("78", BEGINNING),
    ("83", date(2026, 10, 25)),
    ("86", BEGINNING),
    ("91", BEGINNING),
    ("93", BEGINNING),
    ("96", BEGINNING),
    ("5C", BEGINNING),
    ("9G", BEGINNING),
];

/// Codes of category 3 (from general knowledge; TabaPay gives the rule, not the whole list).
const VISA_DATA: &[(&str, NaiveDate)] = &[
    ("54", BEGINNING),
    ("55", BEGINNING),
    ("70", BEGINNING),
    ("82", BEGINNING),
    ("1A", BEGINNING),
    ("6P", BEGINNING),
    ("N7", BEGINNING),
];

/// Visa's category of a response code on a day.
pub fn visa_category(code: &str, on: NaiveDate) -> VisaCategory {
    let within = |table: &[(&str, NaiveDate)]| {
        table
            .iter()
            .any(|(row, since)| row.eq_ignore_ascii_case(code.trim()) && *since <= on)
    };
    if within(VISA_NEVER) {
        VisaCategory::NeverApproves
    } else if within(VISA_NOT_NOW) {
        VisaCategory::NotNow
    } else if within(VISA_DATA) {
        VisaCategory::DataQuality
    } else {
        VisaCategory::Generic
    }
}

/// Whether the networks let the card be charged once more at `at`.
///
/// A network that is not known is held to the strictest of all.
pub fn earliest_charge(tried: &Tried<'_>, at: DateTime<Utc>) -> Ceiling {
    if let Some(why) = forbidden(tried, at) {
        return Ceiling::Never(why);
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
        Ceiling::Allowed
    } else {
        Ceiling::NotBefore(earliest)
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
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use proptest::prelude::*;

    fn day(n: i64) -> DateTime<Utc> {
        "2026-03-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::days(n)
    }

    fn tried(network: CardNetwork, again: &[DateTime<Utc>]) -> Tried<'_> {
        Tried {
            network: Some(network),
            first: day(0),
            again,
            decline_code: None,
        }
    }

    #[test]
    fn visa_takes_twenty_reattempts_in_thirty_days_and_no_more() {
        let charges: Vec<_> = (1..=20).map(day).collect();
        let nineteen = tried(CardNetwork::Visa, &charges[..19]);
        assert_eq!(earliest_charge(&nineteen, day(20)), Ceiling::Allowed);
        let twenty = tried(CardNetwork::Visa, &charges);
        assert_eq!(
            earliest_charge(&twenty, day(21)),
            Ceiling::NotBefore(day(31))
        );
        assert_eq!(earliest_charge(&twenty, day(31)), Ceiling::Allowed);
    }

    #[test]
    fn visa_took_fifteen_before_may_2025() {
        let at = |n| "2025-03-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::days(n);
        let charges: Vec<_> = (1..=15).map(at).collect();
        let tried = Tried {
            network: Some(CardNetwork::Visa),
            first: at(0),
            again: &charges,
            decline_code: None,
        };
        assert_eq!(earliest_charge(&tried, at(16)), Ceiling::NotBefore(at(31)));
    }

    #[test]
    fn mastercard_takes_ten_declines_a_day_the_first_among_them() {
        let minutes: Vec<_> = (1..=9).map(|n| day(0) + TimeDelta::minutes(n)).collect();
        let full = tried(CardNetwork::Mastercard, &minutes);
        assert_eq!(
            earliest_charge(&full, minutes[8]),
            Ceiling::NotBefore(day(1))
        );
        let room = tried(CardNetwork::Mastercard, &minutes[..8]);
        assert_eq!(earliest_charge(&room, minutes[8]), Ceiling::Allowed);
    }

    #[test]
    fn visa_category_one_is_never_charged_again_from_its_day_on() {
        let with = |code| Tried {
            decline_code: Some(code),
            ..tried(CardNetwork::Visa, &[])
        };
        assert!(matches!(
            earliest_charge(&with("r1"), day(1)),
            Ceiling::Never(_)
        ));
        assert_eq!(earliest_charge(&with("57"), day(1)), Ceiling::Allowed);
        let after = "2026-10-25T00:00:00Z".parse().unwrap();
        assert!(matches!(
            earliest_charge(&with("57"), after),
            Ceiling::Never(_)
        ));
        let elsewhere = Tried {
            network: Some(CardNetwork::Amex),
            ..with("R1")
        };
        assert_eq!(earliest_charge(&elsewhere, day(1)), Ceiling::Allowed);
    }

    #[test]
    fn names_of_networks_are_read_as_psps_write_them() {
        assert_eq!(CardNetwork::from_psp("MasterCard"), CardNetwork::Mastercard);
        assert_eq!(CardNetwork::from_psp("American Express"), CardNetwork::Amex);
        assert_eq!(CardNetwork::from_psp("RuPay"), CardNetwork::Rupay);
        assert_eq!(CardNetwork::from_psp("eftpos_au"), CardNetwork::Other);
    }

    proptest! {
        #[test]
        fn no_window_ever_holds_more_than_it_may(
            hours in prop::collection::vec(0i64..1_000, 0..60),
            network in prop::option::of(prop::sample::select(CardNetwork::ALL)),
        ) {
            // Charges that the ceilings let through, one after another.
            let mut made: Vec<DateTime<Utc>> = Vec::new();
            let mut clock = day(0);
            for step in hours {
                clock += TimeDelta::hours(step % 40);
                let so_far = Tried { network, first: day(0), again: &made, decline_code: None };
                clock = match earliest_charge(&so_far, clock) {
                    Ceiling::NotBefore(later) => later,
                    _ => clock,
                };
                made.push(clock);
            }
            for end in &made {
                let within = |days| made.iter().filter(|at| *at <= end && **at > *end - TimeDelta::days(days)).count();
                let first = |days| usize::from(day(0) > *end - TimeDelta::days(days));
                if matches!(network, None | Some(CardNetwork::Visa)) {
                    prop_assert!(within(30) <= 20);
                }
                if matches!(network, None | Some(CardNetwork::Mastercard)) {
                    prop_assert!(within(1) + first(1) <= 10);
                    prop_assert!(within(30) + first(30) <= 35);
                }
            }
        }
    }
}
