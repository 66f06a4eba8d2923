//! Means of payment that fit a failure.

use domain::classification::{AlternativeMeans, Classification};
use domain::{Currency, Money};
use psp::PaymentMethodKind;

/// The means that fit, the best first, without those that the payer cannot
/// have: UPI and net banking as PSPs offer it are India's.
pub(super) fn fitting(
    classification: &Classification,
    owed: Money,
) -> impl Iterator<Item = AlternativeMeans> {
    let in_india = Currency::parse("INR").is_ok_and(|rupee| rupee == owed.currency());
    let means = classification.alternatives.iter().copied();
    means.filter(move |means| match means {
        AlternativeMeans::Card | AlternativeMeans::CardOtherBank => true,
        AlternativeMeans::Netbanking | AlternativeMeans::UpiCollect => in_india,
    })
}

/// Which means the PSP's page puts first.
pub(super) fn first(classification: &Classification, owed: Money) -> Option<PaymentMethodKind> {
    fitting(classification, owed)
        .next()
        .map(|means| match means {
            AlternativeMeans::Card | AlternativeMeans::CardOtherBank => PaymentMethodKind::Card,
            AlternativeMeans::Netbanking => PaymentMethodKind::Netbanking,
            AlternativeMeans::UpiCollect => PaymentMethodKind::Upi,
        })
}

/// A means as payers call it.
pub(super) const fn words(means: AlternativeMeans) -> &'static str {
    match means {
        AlternativeMeans::Card => "a card",
        AlternativeMeans::CardOtherBank => "a card of another bank",
        AlternativeMeans::Netbanking => "net banking",
        AlternativeMeans::UpiCollect => "UPI",
    }
}
