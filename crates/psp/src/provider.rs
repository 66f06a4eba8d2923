//! One face for all PSPs.

use std::time::Duration;

use domain::id::AttemptId;
use domain::{Money, Provider};

use crate::{
    ChargeOutcome, ChargeRequest, CheckoutRequest, CheckoutStatus, Closing, Credentials, Endpoints,
    FoundCharge, HostedCheckout, Http, PaymentRef, PaymentStatus, PspError, Razorpay, Sighting,
    Stripe,
};

/// A PSP with one merchant's credentials. Clones share the account's pace, so
/// one is made for an account and kept; the connections are [`Http`]'s.
#[derive(Debug, Clone)]
pub enum Psp {
    /// Stripe.
    Stripe(Stripe),
    /// Razorpay.
    Razorpay(Razorpay),
}

impl Psp {
    /// The PSP that `credentials` belong to.
    pub fn new(http: Http, endpoints: &Endpoints, credentials: Credentials) -> Self {
        match credentials {
            Credentials::Stripe(own) => {
                Self::Stripe(Stripe::new(http, endpoints.stripe.clone(), own))
            }
            Credentials::Razorpay(own) => {
                Self::Razorpay(Razorpay::new(http, endpoints.razorpay.clone(), own))
            }
        }
    }

    /// Which PSP it is.
    pub const fn provider(&self) -> Provider {
        match self {
            Self::Stripe(_) => Provider::Stripe,
            Self::Razorpay(_) => Provider::Razorpay,
        }
    }

    /// Whether [`Psp::charge`] is on offer. Over Razorpay it is not: its
    /// recurring charges go by mandates that Tinko does not hold.
    pub const fn can_charge(&self) -> bool {
        can_charge(self.provider())
    }

    /// Until this account may be asked again; none if it may be now. While there is a
    /// pause every request answers [`PspError::Paused`].
    pub fn pause(&self) -> Option<Duration> {
        match self {
            Self::Stripe(stripe) => stripe.pause(),
            Self::Razorpay(razorpay) => razorpay.pause(),
        }
    }

    /// Charges a saved means while the payer is away.
    ///
    /// Where [`PspError::is_unclear`], the money may have moved: look up with
    /// [`Psp::payment_status`], or [`Psp::find_charge`] where there was no
    /// payment before, or ask again under the same attempt within 24 hours.
    pub async fn charge(&self, request: &ChargeRequest) -> Result<ChargeOutcome, PspError> {
        match self {
            Self::Stripe(stripe) => stripe.charge(request).await,
            Self::Razorpay(_) => Err(PspError::not_offered(
                "off-session charges are not offered over Razorpay",
            )),
        }
    }

    /// Finds the payment that an attempt made, if it made one. Read-only.
    ///
    /// It finds payments that a charge **created**; a charge that confirmed
    /// the merchant's own payment is settled by [`Psp::payment_status`].
    /// `customer` is the saved means' own, and makes the answer exact;
    /// without it Stripe's search is asked, which lags by up to a minute.
    pub async fn find_charge(
        &self,
        attempt: AttemptId,
        customer: Option<&str>,
    ) -> Result<Option<FoundCharge>, PspError> {
        match self {
            Self::Stripe(stripe) => stripe.find_charge(attempt, customer).await,
            Self::Razorpay(_) => Ok(None),
        }
    }

    /// What became of a charge that was sent and not heard of. Read-only.
    ///
    /// `charge_before` is the payment's newest charge before the request was
    /// sent, by [`PaymentStatus::Failed`]: any other one was made since.
    pub async fn look_up_charge(
        &self,
        request: &ChargeRequest,
        charge_before: Option<&str>,
    ) -> Result<Sighting, PspError> {
        match self {
            Self::Stripe(stripe) => stripe.look_up_charge(request, charge_before).await,
            Self::Razorpay(_) => Ok(Sighting::NotMade),
        }
    }

    /// Where a payment stands. Read-only.
    pub async fn payment_status(&self, payment: &PaymentRef) -> Result<PaymentStatus, PspError> {
        if payment.provider != self.provider() {
            return Err(PspError::bad_reference(&payment.id));
        }
        match self {
            Self::Stripe(stripe) => stripe.payment_status(&payment.id).await,
            Self::Razorpay(razorpay) => razorpay.payment_status(&payment.id).await,
        }
    }

    /// What went back to the payer of a charge that succeeded, by the charge
    /// that [`PaymentStatus::Succeeded`] names; none if nothing did. Read-only.
    pub async fn refunded(&self, charge: &str) -> Result<Option<Money>, PspError> {
        match self {
            Self::Stripe(stripe) => stripe.refunded(charge).await,
            Self::Razorpay(razorpay) => razorpay.refunded(charge).await,
        }
    }

    /// Opens a hosted page, or finds the one opened under the same id.
    pub async fn open_checkout(
        &self,
        request: &CheckoutRequest,
    ) -> Result<HostedCheckout, PspError> {
        match self {
            Self::Stripe(stripe) => stripe.open_checkout(request).await,
            Self::Razorpay(razorpay) => razorpay.open_checkout(request).await,
        }
    }

    /// Closes a hosted page, so that a charge cannot meet a payment there.
    pub async fn close_checkout(&self, reference: &str) -> Result<Closing, PspError> {
        match self {
            Self::Stripe(stripe) => stripe.close_checkout(reference).await,
            Self::Razorpay(razorpay) => razorpay.close_checkout(reference).await,
        }
    }

    /// Where a hosted page stands. Read-only.
    pub async fn checkout_status(&self, reference: &str) -> Result<CheckoutStatus, PspError> {
        match self {
            Self::Stripe(stripe) => stripe.checkout_status(reference).await,
            Self::Razorpay(razorpay) => razorpay.checkout_status(reference).await,
        }
    }

    /// Asks for a short list, only to see whether the credentials may.
    /// [`PspError::Unauthorized`] or [`PspError::Forbidden`] says that they may not. Asked
    /// even while the account is left alone: somebody may have mended it. Read-only.
    pub async fn verify_credentials(&self) -> Result<(), PspError> {
        match self {
            Self::Stripe(stripe) => stripe.afresh().verify_credentials().await,
            Self::Razorpay(razorpay) => razorpay.afresh().verify_credentials().await,
        }
    }
}

/// Whether off-session charges are on offer over `provider`; for deciding
/// before credentials are opened.
pub const fn can_charge(provider: Provider) -> bool {
    matches!(provider, Provider::Stripe)
}
