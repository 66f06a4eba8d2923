//! Means of payment that fit a failure.

use domain::classification::{AlternativeMeans, Classification};
use psp::PaymentMethodKind;

/// Which means the PSP's page puts first.
pub(super) fn first(classification: &Classification) -> Option<PaymentMethodKind> {
    classification
        .alternatives
        .first()
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
