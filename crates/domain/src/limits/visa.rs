//! Visa's categories of response codes, each code with the day from which it counts.

use chrono::NaiveDate;

use super::rule::{BEGINNING, date};

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

/// Codes of category 1 (`TabaPay`, Checkout.com, read 2026-11).
pub(super) const NEVER: &[&str] = &[
    "04", "07", "12", "14", "15", "41", "43", "46", "R0", "R1", "R3",
];
/// Codes of category 1 from [`SHIFT`] on (`TabaPay`, read 2026-11).
pub(super) const NEVER_SINCE_SHIFT: &[&str] = &["57"];
/// From when issuers' 57 and 83 count otherwise (`TabaPay`, read 2026-11).
pub(super) const SHIFT: NaiveDate = date(2026, 10, 25);

/// Codes of category 2 (Checkout.com, Cielo, `TabaPay`).
const NOT_NOW: &[&str] = &[
    "03", "19", "51", "59", "61", "62", "65", "75", "78", "86", "91", "93", "96", "5C", "9G",
];
const NOT_NOW_SINCE_SHIFT: &[&str] = &["83"];
/// Codes of category 3 (from general knowledge; `TabaPay` gives the rule, not the whole list).
const DATA: &[&str] = &["54", "55", "70", "82", "1A", "6P", "N7"];

/// The lists, each with the day from which it counts.
const LISTS: &[(&[&str], NaiveDate, VisaCategory)] = &[
    (NEVER, BEGINNING, VisaCategory::NeverApproves),
    (NEVER_SINCE_SHIFT, SHIFT, VisaCategory::NeverApproves),
    (NOT_NOW, BEGINNING, VisaCategory::NotNow),
    (NOT_NOW_SINCE_SHIFT, SHIFT, VisaCategory::NotNow),
    (DATA, BEGINNING, VisaCategory::DataQuality),
];

/// Visa's category of a response code on a day.
pub fn visa_category(code: &str, on: NaiveDate) -> VisaCategory {
    let code = code.trim();
    LISTS
        .iter()
        .filter(|(_, since, _)| *since <= on)
        .find(|(codes, _, _)| codes.iter().any(|row| row.eq_ignore_ascii_case(code)))
        .map_or(VisaCategory::Generic, |(_, _, category)| *category)
}
