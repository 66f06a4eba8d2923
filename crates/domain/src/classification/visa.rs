//! Visa's categories of response codes. Which code is in which, and from when,
//! is a dated list of [`crate::limits`]; here stands what follows from each.

use chrono::NaiveDate;

use super::Category::{InvalidDetails, IssuerDecline, Unknown};
use super::table::{Row, Source, Verdict};
use crate::limits::{VisaCategory, visa_category};

const CATEGORIES: Source = Source {
    title: "Checkout.com, Cielo and TabaPay on Visa's decline categories",
    url: "https://www.checkout.com/docs/developer-resources/codes/response-codes",
    read: "2026-11-25",
};

/// By the category's number.
#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    row("1", Verdict::ask(IssuerDecline), "Visa: the issuer will never approve"),
    row("2", Verdict::soft(Unknown), "Visa: the issuer cannot approve at this time"),
    row("3", Verdict::ask(InvalidDetails), "Visa: the data have to be put right first"),
];

const fn row(code: &'static str, verdict: Verdict, meaning: &'static str) -> Row {
    Row {
        code,
        verdict,
        meaning,
        source: &CATEGORIES,
    }
}

/// The row of the category that `code` is in on a day. The fourth, which holds
/// every code that no list names, says nothing and has none.
pub(super) fn category_of(code: &str, on: NaiveDate) -> Option<&'static Row> {
    let number = match visa_category(code, on) {
        VisaCategory::NeverApproves => "1",
        VisaCategory::NotNow => "2",
        VisaCategory::DataQuality => "3",
        VisaCategory::Generic => return None,
    };
    ROWS.iter().find(|row| row.code == number)
}
