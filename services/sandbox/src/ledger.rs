//! Every charge attempt of every account, in the order in which they were made.
//!
//! Tests compare what Tinko believes against this: it is written in the same step that decides the
//! charge's outcome, so a charge that its caller never heard of is here too.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::state::locked;

/// Who made a charge attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Initiator {
    /// The provider's API.
    Api,
    /// The payer, on the provider's own page.
    Payer,
    /// The merchant, played through the control API.
    Merchant,
}

/// One charge attempt.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Attempt {
    pub(crate) provider: &'static str,
    pub(crate) account: String,
    /// Stripe's payment intent; for Razorpay the order.
    pub(crate) payment: String,
    /// The payment again for Stripe, null for Razorpay.
    pub(crate) payment_intent: Option<String>,
    /// Stripe's charge, Razorpay's payment.
    pub(crate) charge: String,
    /// Minor units.
    pub(crate) amount: i64,
    /// ISO 4217, upper case.
    pub(crate) currency: String,
    pub(crate) succeeded: bool,
    /// `ok`, or the decline code (Razorpay: the error reason).
    pub(crate) outcome: String,
    pub(crate) idempotency_key: Option<String>,
    /// The caller's reference, where the provider has such a field beside the metadata.
    pub(crate) reference: Option<String>,
    /// Stripe's metadata, Razorpay's notes.
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) initiator: Initiator,
    pub(crate) at: DateTime<Utc>,
}

/// Which attempts are wanted; an absent field does not filter.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Wanted {
    provider: Option<String>,
    account: Option<String>,
    payment_intent: Option<String>,
    /// Matches the payment's id, the reference, or any value in the metadata.
    transaction_ref: Option<String>,
    succeeded: Option<bool>,
}

impl Wanted {
    fn matches(&self, attempt: &Attempt) -> bool {
        let refers = |wanted: &String| {
            attempt.payment == *wanted
                || attempt.reference.as_ref() == Some(wanted)
                || attempt.metadata.values().any(|value| value == wanted)
        };
        self.provider
            .as_ref()
            .is_none_or(|it| it == attempt.provider)
            && self
                .account
                .as_ref()
                .is_none_or(|it| *it == attempt.account)
            && self
                .payment_intent
                .as_ref()
                .is_none_or(|it| *it == attempt.payment)
            && self.transaction_ref.as_ref().is_none_or(refers)
            && self.succeeded.is_none_or(|it| it == attempt.succeeded)
    }
}

#[derive(Default)]
struct Book {
    attempts: Vec<Attempt>,
    by_charge: HashMap<String, usize>,
}

#[derive(Default)]
pub(crate) struct Ledger(Mutex<Book>);

impl Ledger {
    /// Adds the attempts; a charge that was recorded as pending gets its new outcome in place.
    pub(crate) fn record(&self, attempts: Vec<Attempt>) {
        let mut book = locked(&self.0);
        for attempt in attempts {
            if let Some(place) = book.by_charge.get(&attempt.charge).copied() {
                book.attempts[place] = attempt;
            } else {
                let place = book.attempts.len();
                book.by_charge.insert(attempt.charge.clone(), place);
                book.attempts.push(attempt);
            }
        }
    }

    pub(crate) fn find(&self, wanted: &Wanted) -> Vec<Attempt> {
        let book = locked(&self.0);
        book.attempts
            .iter()
            .filter(|attempt| wanted.matches(attempt))
            .cloned()
            .collect()
    }
}
