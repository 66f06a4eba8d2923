//! What a webhook says, in terms that hold for every PSP.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use domain::Money;
use domain::id::{AttemptId, RecoveryId};
use serde::Serialize;

use crate::{FailureSignals, PaymentMethodKind, PaymentRef, SavedMeans, TriedMeans};

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Incoming {
    /// The PSP's id of the event, the same in every delivery of it.
    pub event_id: String,
    /// The PSP's name of its kind.
    pub event_type: String,
    /// When it happened, by the PSP's clock, to the second.
    pub occurred_at: DateTime<Utc>,
    /// What happened.
    pub fact: Fact,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fact {
    /// A payment was tried and failed.
    PaymentFailed(Box<FailedPayment>),
    /// A payment succeeded.
    PaymentSucceeded(Box<PaymentSucceeded>),
    /// A hosted checkout closed unpaid.
    CheckoutExpired {
        /// Its id, as [`crate::HostedCheckout::reference`].
        reference: String,
    },
    /// A payment is on its way and may still come to nothing: authorized and
    /// not captured, or made by a means that takes days. Nobody may be charged
    /// or asked meanwhile.
    PaymentUnderway(Box<UnsettledPayment>),
    /// Such a payment came to nothing: the money stays with the payer, who owes
    /// it still.
    PaymentReleased(Box<UnsettledPayment>),
    /// The merchant cancelled the payment, or gave the invoice up: it is not
    /// wanted any more.
    PaymentCancelled(CancelledPayment),
    /// A part of what is owed was paid; the rest is still owed.
    PartlyPaid(PartPayment),
    /// Money went back to the payer.
    Refunded(Refunded),
    /// The payer disputes a payment at the bank.
    Disputed(Disputed),
    /// Nothing that Tinko acts on.
    Ignored,
}

/// A payment that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailedPayment {
    /// The payment, by its most lasting id at the PSP.
    pub payment: PaymentRef,
    /// Other ids that later events may name it by: an order, an invoice.
    pub also_known_as: Vec<String>,
    /// The one try that failed: two events with the same charge report one failure.
    pub charge: Option<String>,
    /// What is owed.
    pub amount: Money,
    /// The merchant's own reference: `transaction_ref` in metadata or notes.
    pub transaction_ref: Option<String>,
    /// The recovery, where Tinko made this payment.
    pub recovery_hint: Option<RecoveryId>,
    /// The attempt, where Tinko's charge made this payment.
    pub attempt_hint: Option<AttemptId>,
    /// Why, in the PSP's words.
    pub signals: FailureSignals,
    /// What it was tried with.
    pub method: PaymentMethodKind,
    /// The card or mandate that it was tried with.
    pub tried: TriedMeans,
    /// What can be charged again while the payer is away. Only where the PSP
    /// keeps the means for a customer: any other can be used once.
    pub saved_means: Option<SavedMeans>,
    /// The PSP's own retries of the bill, where it tells of them.
    pub psp_retries: Option<PspRetries>,
    /// Whom to write to.
    pub payer: Payer,
    /// The merchant's own notes.
    pub metadata: BTreeMap<String, String>,
}

/// What the PSP knows of the payer.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct Payer {
    /// As the PSP has it, unchecked.
    pub email: Option<String>,
    /// As the PSP has it, unchecked; usually E.164.
    pub phone: Option<String>,
    /// As the PSP has it.
    pub name: Option<String>,
    /// ISO 3166-1 alpha-2, upper case: of the billing address, else of the card.
    pub country: Option<String>,
    /// A language tag, from `locale` in metadata or notes.
    pub locale: Option<String>,
}

impl fmt::Debug for Payer {
    /// Says what is known, not what it is: debug output ends up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payer")
            .field("email", &self.email.is_some())
            .field("phone", &self.phone.is_some())
            .field("name", &self.name.is_some())
            .field("country", &self.country)
            .field("locale", &self.locale)
            .finish()
    }
}

/// A payment that succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PaymentSucceeded {
    /// The payment.
    pub payment: PaymentRef,
    /// Other ids that earlier events may have named it by.
    pub also_known_as: Vec<String>,
    /// The charge that went through.
    pub charge: Option<String>,
    /// What was paid.
    pub amount: Money,
    /// The merchant's own reference.
    pub transaction_ref: Option<String>,
    /// The recovery, where Tinko made this payment or its checkout.
    pub recovery_hint: Option<RecoveryId>,
    /// The attempt, where Tinko's charge made this payment.
    pub attempt_hint: Option<AttemptId>,
    /// The hosted checkout where it was paid.
    pub checkout: Option<String>,
    /// The card or mandate that it was paid with.
    pub tried: TriedMeans,
}

/// The tries that a PSP makes of its own accord (Stripe's Smart Retries of an
/// invoice).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PspRetries {
    /// Tries so far, the first included.
    pub made: u32,
    /// When the PSP tries next; none if it has given up, or was told not to.
    pub next_at: Option<DateTime<Utc>>,
}

/// A payment that is on its way, or was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnsettledPayment {
    /// What is on its way: the payment, or the checkout that it was made at. The
    /// events of one way name the same.
    pub payment: PaymentRef,
    /// Other ids that tell what it pays for.
    pub also_known_as: Vec<String>,
    /// What is on its way.
    pub amount: Money,
    /// The merchant's own reference.
    pub transaction_ref: Option<String>,
    /// The recovery, where Tinko made this payment or its checkout.
    pub recovery_hint: Option<RecoveryId>,
    /// The hosted checkout where it was made.
    pub checkout: Option<String>,
}

/// A payment that the merchant does not want any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CancelledPayment {
    /// The payment or the invoice itself: what it was for is not cancelled with
    /// one of its payments.
    pub payment: PaymentRef,
    /// What was done, as the rest of a sentence about the merchant.
    pub what: &'static str,
}

/// A part that was paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartPayment {
    /// The payment that paid it.
    pub payment: PaymentRef,
    /// Other ids that tell what it pays for.
    pub also_known_as: Vec<String>,
    /// What was paid by it.
    pub amount: Money,
    /// The recovery, where Tinko made the checkout.
    pub recovery_hint: Option<RecoveryId>,
}

/// Money that went back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refunded {
    /// The payment that it was taken from.
    pub payment: PaymentRef,
    /// Other ids of that payment.
    pub also_known_as: Vec<String>,
    /// Its charge.
    pub charge: Option<String>,
    /// What went back so far (Stripe: of that charge in all; Razorpay: by
    /// this refund).
    pub amount: Money,
}

/// A payment that the payer disputes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Disputed {
    /// The payment.
    pub payment: PaymentRef,
    /// Other ids of that payment.
    pub also_known_as: Vec<String>,
    /// Its charge.
    pub charge: Option<String>,
    /// What is disputed.
    pub amount: Money,
    /// The PSP's code for why.
    pub reason: Option<String>,
}
