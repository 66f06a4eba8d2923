//! The waits that tables name, in figures.

use std::collections::BTreeMap;

use crate::classification::{Category, TABLES};

const DAY: u32 = 86_400;

/// The codes of a table that name a wait, in seconds.
fn waits(table: &str) -> BTreeMap<&'static str, u32> {
    let (_, rows) = TABLES.iter().find(|(name, _)| *name == table).unwrap();
    rows.iter()
        .filter(|row| row.verdict.cooldown_seconds > 0)
        .map(|row| (row.code, row.verdict.cooldown_seconds))
        .collect()
}

#[test]
fn mastercards_advice_waits_as_it_says() {
    let published = [
        ("02", 3 * DAY),
        ("24", 3_600),
        ("25", DAY),
        ("26", 2 * DAY),
        ("27", 4 * DAY),
        ("28", 6 * DAY),
        ("29", 8 * DAY),
        ("30", 10 * DAY),
    ];
    assert_eq!(waits("mastercard_advice"), published.into());
}

#[test]
fn a_limit_is_waited_for_a_day_and_a_connection_half_a_minute() {
    for (table, rows) in TABLES {
        let waits = waits(table);
        for row in rows.iter().filter(|row| row.verdict.charge_allowed) {
            let wait = waits.get(row.code).copied();
            match row.verdict.category {
                Category::LimitExceeded if row.code == "charge_exceeds_source_limit" => {
                    assert_eq!(wait, Some(7 * DAY), "the limit is of a week");
                }
                Category::LimitExceeded => assert_eq!(wait, Some(DAY), "{}", row.code),
                Category::Network => assert!(matches!(wait, None | Some(30)), "{}", row.code),
                _ => {}
            }
        }
    }
    assert_eq!(waits("razorpay").get("already_declined"), Some(&DAY));
}
