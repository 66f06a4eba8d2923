//! The PSP's hosted page, where the payer pays in person.

use std::fmt;

use chrono::{DateTime, Utc};
use domain::Money;
use domain::id::{CheckoutId, RecoveryId};
use url::Url;

use crate::{PaymentMethodKind, PaymentRef};

/// A checkout to open. Asked again with the same `checkout` and the same
/// fields it gives the same page.
#[derive(Clone, PartialEq, Eq)]
pub struct CheckoutRequest {
    /// The idempotency key, and the reference that the PSP keeps.
    pub checkout: CheckoutId,
    /// Written to the metadata, so that its webhooks lead back.
    pub recovery: RecoveryId,
    /// The merchant's own reference, written to the metadata.
    pub transaction_ref: String,
    /// What the payer pays.
    pub amount: Money,
    /// What the payer reads that it is for.
    pub description: String,
    /// Filled in for the payer where the PSP can.
    pub payer_email: Option<String>,
    /// Filled in for the payer where the PSP can; in E.164.
    pub payer_phone: Option<String>,
    /// Where the payer goes after having paid.
    pub success_url: Url,
    /// Where the payer goes who turns back. Razorpay has no such way back.
    pub cancel_url: Url,
    /// When the page should close. It is moved into what the PSP takes, by
    /// the checkout id's own time of birth, so that a repeated request is
    /// the same request; what it became is in [`HostedCheckout::expires_at`].
    pub expires_at: DateTime<Utc>,
    /// Which means to put first. Only a hint: others stay on offer.
    pub method_hint: Option<PaymentMethodKind>,
}

impl fmt::Debug for CheckoutRequest {
    /// Without the payer's address and number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckoutRequest")
            .field("checkout", &self.checkout)
            .field("recovery", &self.recovery)
            .field("transaction_ref", &self.transaction_ref)
            .field("amount", &self.amount)
            .field("expires_at", &self.expires_at)
            .field("method_hint", &self.method_hint)
            .finish_non_exhaustive()
    }
}

/// A page that the payer can be sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostedCheckout {
    /// The PSP's id: `cs_…`, `plink_…`. Webhooks and the other operations name it.
    pub reference: String,
    /// The page.
    pub url: Url,
    /// When the PSP closes it.
    pub expires_at: DateTime<Utc>,
}

/// What came of closing a checkout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closing {
    /// Nobody can pay there any more, and nobody has.
    Closed,
    /// The payer was quicker.
    AlreadyPaid,
    /// The payer has paid by a means that takes days to settle: no charge may
    /// be made until its outcome is known.
    PaymentUnderway,
    /// It had expired or been closed before, unpaid.
    AlreadyGone,
}

/// Where a checkout stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckoutStatus {
    /// The payer can pay there.
    Open,
    /// Paid.
    Paid {
        /// By this payment.
        payment: PaymentRef,
    },
    /// Handed in by a means that takes days to settle.
    PaymentUnderway,
    /// Expired or closed, unpaid.
    Expired,
}
