//! Charging a saved means of payment while the payer is away.

use domain::Money;
use domain::id::{AttemptId, OrganizationId, RecoveryId};

use crate::{FailureSignals, PaymentRef, SavedMeans, TriedMeans};

/// A charge to make.
///
/// Asked again with the same `attempt`, every other field must be the same:
/// the PSP replays its first answer, and refuses a changed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeRequest {
    /// The idempotency key. Stripe keeps its answer under a key for at least
    /// 24 hours; after that the same key would charge anew, so an older
    /// attempt in doubt is settled by [`crate::Psp::find_charge`] only.
    pub attempt: AttemptId,
    /// Written to the payment's metadata, so that its webhooks lead back.
    pub recovery: RecoveryId,
    /// Whose payment it is.
    pub organization: OrganizationId,
    /// The merchant's own reference, written to the metadata.
    pub transaction_ref: String,
    /// What to charge. A payment that exists already has an amount of its
    /// own, which is what the PSP charges.
    pub amount: Money,
    /// The merchant's own failed payment. It is confirmed again rather than
    /// replaced, since one intent can succeed only once.
    pub payment_ref: Option<PaymentRef>,
    /// What to charge.
    pub saved_means: SavedMeans,
}

impl ChargeRequest {
    /// Whether the PSP lets the payment succeed only once, whoever tries it and
    /// under whatever key: Stripe's intents and invoices. A charge that makes a
    /// payment of its own is held to one by its idempotency key alone.
    pub fn succeeds_once(&self) -> bool {
        self.payment_ref
            .as_ref()
            .is_some_and(|payment| payment.id.starts_with("pi_") || payment.id.starts_with("in_"))
    }
}

/// What a look-up shows of a charge whose answer nobody heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sighting {
    /// The money is there.
    Succeeded {
        /// The payment that succeeded.
        payment: PaymentRef,
        /// Its charge.
        charge: Option<String>,
        /// What was paid.
        amount: Money,
    },
    /// The PSP is at it.
    Pending,
    /// The payment can never be paid any more.
    Cancelled,
    /// A charge was made since, and refused.
    Declined(Box<Decline>),
    /// No charge was made since, and none is being made: the request never
    /// arrived, is on its way still, or failed inside the PSP.
    NotMade,
}

/// What the PSP answered to a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChargeOutcome {
    /// The money is there, by this charge or by an earlier one on the same payment.
    Succeeded {
        /// The payment that succeeded.
        payment: PaymentRef,
        /// Its charge.
        charge: Option<String>,
    },
    /// The issuer, the network or the PSP said no.
    Declined(Decline),
    /// Not decided yet: its webhook or a look-up tells later.
    Pending {
        /// The payment to look at.
        payment: PaymentRef,
    },
    /// It takes the payer, who must authenticate. Nothing was charged.
    PayerNeeded(Decline),
}

/// Why a charge was refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decline {
    /// The PSP's broad code, such as `card_declined`.
    pub code: Option<String>,
    /// The issuer's reason, such as `insufficient_funds`.
    pub decline_code: Option<String>,
    /// Stripe's advice, such as `do_not_try_again`.
    pub advice_code: Option<String>,
    /// The network's response code.
    pub network_decline_code: Option<String>,
    /// The network's advice code.
    pub network_advice_code: Option<String>,
    /// The card network, in lower case.
    pub network: Option<String>,
    /// The card or mandate that was charged, where the PSP tells.
    pub tried: TriedMeans,
    /// The PSP's sentence for developers.
    pub message: Option<String>,
    /// Who failed, by Razorpay's `error_source`.
    pub source: Option<String>,
    /// Where it failed, by Razorpay's `error_step`.
    pub step: Option<String>,
    /// The charge that failed.
    pub charge: Option<String>,
    /// The payment that it belongs to, at the same PSP.
    pub payment: Option<String>,
}

impl Decline {
    /// The same, as classification takes it.
    pub fn signals(&self) -> FailureSignals {
        FailureSignals {
            code: self.decline_code.clone().or_else(|| self.code.clone()),
            advice_code: self.advice_code.clone(),
            network: self.network.clone(),
            network_decline_code: self.network_decline_code.clone(),
            network_advice_code: self.network_advice_code.clone(),
            message: self.message.clone(),
            broad_code: self.decline_code.as_ref().and(self.code.clone()),
            field: None,
            source: self.source.clone(),
            step: self.step.clone(),
        }
    }
}
