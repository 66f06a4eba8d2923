//! Checkout Sessions in payment mode.
//!
//! Stripe closes a session between 30 minutes and 24 hours after it was made
//! (API reference, `expires_at` of a Checkout Session).

use chrono::{DateTime, Utc};
use url::Url;

use super::Stripe;
use super::charge::wire_amount;
use super::form::Form;
use super::wire::{Reference, WireSession};
use crate::metadata::{RECOVERY_KEY, TRANSACTION_KEY, born};
use crate::{
    CheckoutRequest, CheckoutStatus, Closing, HostedCheckout, PaymentRef, PaymentStatus, PspError,
};

/// Seconds from a checkout's birth to its earliest and latest end: Stripe's
/// limits, drawn in by the time in which a request may be repeated.
const SHORTEST: i64 = 40 * 60;
const LONGEST: i64 = 24 * 3_600 - 10 * 60;

impl Stripe {
    pub(crate) async fn open_checkout(
        &self,
        request: &CheckoutRequest,
    ) -> Result<HostedCheckout, PspError> {
        let form = session_form(request)?;
        let key = request.checkout.to_string();
        let path = ["v1", "checkout", "sessions"];
        let answer = self.post("open_checkout", &path, &form, &key).await?;
        if !answer.status.is_success() {
            return Err(answer.refusal());
        }
        let session: WireSession = answer.read()?;
        let url = session.url.as_deref().and_then(|url| Url::parse(url).ok());
        Ok(HostedCheckout {
            url: url.ok_or_else(|| PspError::malformed("a Checkout Session without its page"))?,
            expires_at: DateTime::<Utc>::from_timestamp(session.expires_at, 0)
                .ok_or_else(|| PspError::malformed("a Checkout Session without its end"))?,
            reference: session.id,
        })
    }

    pub(crate) async fn close_checkout(&self, reference: &str) -> Result<Closing, PspError> {
        let path = ["v1", "checkout", "sessions", reference, "expire"];
        let key = format!("expire-{reference}");
        let answer = self
            .post("close_checkout", &path, &Form::default(), &key)
            .await?;
        if answer.status.is_success() {
            return Ok(Closing::Closed);
        }
        // Only an open session can be closed: see what became of this one.
        match self.checkout_status(reference).await? {
            CheckoutStatus::Paid { .. } => Ok(Closing::AlreadyPaid),
            CheckoutStatus::PaymentUnderway => Ok(Closing::PaymentUnderway),
            CheckoutStatus::Expired => Ok(Closing::AlreadyGone),
            CheckoutStatus::Open => Err(answer.refusal()),
        }
    }

    pub(crate) async fn checkout_status(
        &self,
        reference: &str,
    ) -> Result<CheckoutStatus, PspError> {
        let path = ["v1", "checkout", "sessions", reference];
        let session: WireSession = self.fetch("look_up_checkout", &path, &[]).await?;
        let intent = session.payment_intent.map(Reference::into_id);
        match (session.status.as_deref(), session.payment_status.as_deref()) {
            (Some("complete"), Some("paid")) => Ok(CheckoutStatus::Paid {
                payment: PaymentRef::stripe(intent.ok_or_else(|| {
                    PspError::malformed("a paid Checkout Session without its PaymentIntent")
                })?),
            }),
            (Some("complete"), _) => self.handed_in(intent).await,
            (Some("expired"), _) => Ok(CheckoutStatus::Expired),
            (Some("open"), _) => Ok(CheckoutStatus::Open),
            (other, _) => Err(PspError::malformed(format!(
                "a Checkout Session in state {other:?}"
            ))),
        }
    }

    /// A session handed in by a means that takes days stays complete and
    /// unpaid even when that fails in the end: only its intent tells.
    async fn handed_in(&self, intent: Option<String>) -> Result<CheckoutStatus, PspError> {
        let Some(intent) = intent else {
            return Ok(CheckoutStatus::PaymentUnderway);
        };
        Ok(match self.intent_status(&intent).await? {
            PaymentStatus::Succeeded { .. } => CheckoutStatus::Paid {
                payment: PaymentRef::stripe(intent),
            },
            PaymentStatus::Pending => CheckoutStatus::PaymentUnderway,
            PaymentStatus::Failed { .. } | PaymentStatus::Cancelled => CheckoutStatus::Expired,
        })
    }
}

fn session_form(request: &CheckoutRequest) -> Result<Form, PspError> {
    let (minor, currency) = wire_amount(request.amount)?;
    let birth = born(request.checkout);
    let end = request
        .expires_at
        .timestamp()
        .clamp(birth + SHORTEST, birth + LONGEST);
    let recovery = request.recovery.to_string();
    let intent_metadata = "payment_intent_data[metadata]";
    Ok(Form::default()
        .with("mode", "payment")
        .with("client_reference_id", request.checkout.to_string())
        .with("line_items[0][quantity]", "1")
        .with("line_items[0][price_data][currency]", currency)
        .with("line_items[0][price_data][unit_amount]", minor.to_string())
        .with(
            "line_items[0][price_data][product_data][name]",
            &request.description,
        )
        .with_some("customer_email", request.payer_email.as_deref())
        .with("success_url", request.success_url.as_str())
        .with("cancel_url", request.cancel_url.as_str())
        .with("expires_at", end.to_string())
        .with_entry("metadata", RECOVERY_KEY, &recovery)
        .with_entry("metadata", TRANSACTION_KEY, &request.transaction_ref)
        .with_entry(intent_metadata, RECOVERY_KEY, &recovery)
        .with_entry(intent_metadata, TRANSACTION_KEY, &request.transaction_ref))
}
