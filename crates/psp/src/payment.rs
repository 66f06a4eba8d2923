//! Payments at a PSP, and what they are paid with.

use chrono::{DateTime, Utc};
use domain::{Money, Provider};
use serde::{Deserialize, Serialize};

use crate::Decline;

/// A payment at a PSP, by the id that the PSP gave it.
///
/// For Stripe a `PaymentIntent` (`pi_…`), an invoice (`in_…`) where only that is
/// known, or a charge (`ch_…`, `py_…`) made without an intent. For Razorpay a
/// payment (`pay_…`) or an order (`order_…`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PaymentRef {
    /// Whose id it is.
    pub provider: Provider,
    /// The id.
    pub id: String,
}

impl PaymentRef {
    /// A payment at Stripe.
    pub fn stripe(id: impl Into<String>) -> Self {
        Self {
            provider: Provider::Stripe,
            id: id.into(),
        }
    }

    /// A payment at Razorpay.
    pub fn razorpay(id: impl Into<String>) -> Self {
        Self {
            provider: Provider::Razorpay,
            id: id.into(),
        }
    }
}

/// A means of payment that the payer left with the merchant's PSP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedMeans {
    /// The PSP's id of the payer: `cus_…`, `cust_…`.
    pub customer: Option<String>,
    /// The PSP's id of the means: `pm_…`, `token_…`.
    pub payment_method: String,
}

/// What kind of means a payment was tried with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentMethodKind {
    /// A credit or debit card, in a device's wallet or not.
    Card,
    /// India's Unified Payments Interface.
    Upi,
    /// Payment through a bank's own web site.
    Netbanking,
    /// A wallet with a balance of its own.
    Wallet,
    /// Anything else.
    Other,
}

/// Where a payment stands at the PSP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentStatus {
    /// The money is there.
    Succeeded {
        /// The charge that went through, where the PSP names one.
        charge: Option<String>,
        /// What was paid.
        amount: Money,
    },
    /// Not paid; it may be paid yet.
    Failed {
        /// The newest charge that was tried. One that is not the charge of
        /// the failure known so far tells that somebody has tried since.
        latest_charge: Option<String>,
        /// Why the newest try failed, where the PSP says so.
        decline: Option<Box<Decline>>,
        /// When the PSP tries by itself next: two that retry one bill race.
        psp_tries_at: Option<DateTime<Utc>>,
    },
    /// Under way, or authorized and waiting for the merchant to capture it:
    /// it must not be charged again meanwhile.
    Pending,
    /// It can never be paid any more.
    Cancelled,
}

impl PaymentStatus {
    /// Not paid, and nothing more is known.
    pub(crate) const UNPAID: Self = Self::Failed {
        latest_charge: None,
        decline: None,
        psp_tries_at: None,
    };
}

/// A charge that was found by its attempt's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundCharge {
    /// The payment that the attempt made.
    pub payment: PaymentRef,
    /// Where it stands.
    pub status: PaymentStatus,
}
