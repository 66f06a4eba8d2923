//! What a payment was tried with.

use domain::limits::Rail;
use serde::Serialize;

/// What a payment was tried with, as far as it tells one card or mandate from
/// another, and which rules bind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TriedMeans {
    /// The PSP's id of the means, kept for the payer or not: Stripe's `pm_…`;
    /// Razorpay's `token_…`, else its `card_…`.
    pub id: Option<String>,
    /// Stripe's `fingerprint` of a card's number: the same for every means that
    /// was made of the number on one Stripe account
    /// (<https://docs.stripe.com/api/payment_methods/object#payment_method_object-card-fingerprint>).
    /// Razorpay tells none.
    pub fingerprint: Option<String>,
    /// The card network in lower case.
    pub network: Option<String>,
    /// The country of the card's issuer: ISO 3166-1 alpha-2, upper case.
    /// Razorpay only tells whether it is India.
    pub country: Option<String>,
    /// `credit`, `debit` or `prepaid`.
    pub funding: Option<String>,
    /// The way that money takes.
    pub rail: Rail,
}

impl Default for TriedMeans {
    /// Nothing is known.
    fn default() -> Self {
        Self {
            id: None,
            fingerprint: None,
            network: None,
            country: None,
            funding: None,
            rail: Rail::Unknown,
        }
    }
}

/// A country's code as it is kept.
pub(crate) fn country(code: Option<String>) -> Option<String> {
    code.map(|code| code.to_ascii_uppercase())
        .filter(|code| code.len() == 2)
}
