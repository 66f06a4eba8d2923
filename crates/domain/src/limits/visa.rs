//! Visa's categories of response codes, each code with the day from which it counts.

use chrono::NaiveDate;

use super::{BEGINNING, date};

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

/// Codes of category 1 with the day from which they are (`TabaPay`, Checkout.com, read 2026-11).
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

/// Codes of category 2, likewise (Checkout.com, Cielo, `TabaPay`).
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

/// Codes of category 3 (from general knowledge; `TabaPay` gives the rule, not the whole list).
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
