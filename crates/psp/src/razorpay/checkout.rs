//! Payment links.
//!
//! A link's end lies between 15 minutes and 6 months ahead (Razorpay's
//! "Create a payment link", `expire_by`).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::json;
use url::Url;

use super::Razorpay;
use super::wire::{Customer, Links, NewLink, Notify, WireLink};
use crate::metadata::{RECOVERY_KEY, TRANSACTION_KEY, born};
use crate::{
    CheckoutRequest, CheckoutStatus, Closing, HostedCheckout, PaymentMethodKind, PaymentRef,
    PspError,
};

/// Seconds from a checkout's birth to its earliest and latest end: Razorpay's
/// limits, drawn in by the time in which a request may be repeated.
const SHORTEST: i64 = 25 * 60;
const LONGEST: i64 = 180 * 24 * 3_600;

impl Razorpay {
    pub(crate) async fn open_checkout(
        &self,
        request: &CheckoutRequest,
    ) -> Result<HostedCheckout, PspError> {
        let link = new_link(request);
        let path = ["v1", "payment_links"];
        let answer = self.post("open_checkout", &path, &link).await?;
        if answer.status.is_success() {
            return hosted(answer.read()?);
        }
        // A second request with the same reference is refused in words only
        // ("payment link already exists with reference_id …"), so every
        // refusal as bad is looked into.
        if answer.status.as_u16() == 400
            && let Some(existing) = self.link_by_reference(&link.reference_id).await?
        {
            return hosted(existing);
        }
        Err(answer.refusal())
    }

    async fn link_by_reference(&self, reference_id: &str) -> Result<Option<WireLink>, PspError> {
        let query = [("reference_id", reference_id)];
        let links: Links = self
            .fetch("find_checkout", &["v1", "payment_links"], &query)
            .await?;
        let mut links = links.payment_links.into_iter();
        Ok(links.find(|link| link.reference_id.as_deref() == Some(reference_id)))
    }

    pub(crate) async fn close_checkout(&self, reference: &str) -> Result<Closing, PspError> {
        let path = ["v1", "payment_links", reference, "cancel"];
        let answer = self.post("close_checkout", &path, &json!({})).await?;
        if answer.status.is_success() {
            return Ok(Closing::Closed);
        }
        // Only an open link can be cancelled: see what became of this one.
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
        let path = ["v1", "payment_links", reference];
        let link: WireLink = self.fetch("look_up_checkout", &path, &[]).await?;
        match link.status.as_str() {
            "created" => Ok(CheckoutStatus::Open),
            "paid" => Ok(CheckoutStatus::Paid {
                payment: PaymentRef::razorpay(paying(link)?),
            }),
            // Not offered to payers by Tinko's links; the money is on its way in parts.
            "partially_paid" => Ok(CheckoutStatus::PaymentUnderway),
            "expired" | "cancelled" => Ok(CheckoutStatus::Expired),
            other => Err(PspError::malformed(format!(
                "a payment link in state {other:?}"
            ))),
        }
    }
}

fn paying(link: WireLink) -> Result<String, PspError> {
    let payments = link.payments.unwrap_or_default();
    let captured = |status: &Option<String>| status.as_deref() == Some("captured");
    payments
        .iter()
        .find(|payment| captured(&payment.status))
        .or(payments.first())
        .map(|payment| payment.payment_id.clone())
        .ok_or_else(|| PspError::malformed("a paid payment link without its payment"))
}

fn hosted(link: WireLink) -> Result<HostedCheckout, PspError> {
    let end = link.expire_by.filter(|seconds| *seconds > 0);
    Ok(HostedCheckout {
        url: Url::parse(&link.short_url)
            .map_err(|_| PspError::malformed("a payment link without its page"))?,
        expires_at: end
            .and_then(|seconds| DateTime::<Utc>::from_timestamp(seconds, 0))
            .ok_or_else(|| PspError::malformed("a payment link without its end"))?,
        reference: link.id,
    })
}

fn new_link(request: &CheckoutRequest) -> NewLink {
    let birth = born(request.checkout);
    NewLink {
        amount: request.amount.minor(),
        currency: request.amount.currency().code(),
        accept_partial: false,
        reference_id: request.checkout.to_string(),
        description: request.description.clone(),
        customer: Customer {
            email: request.payer_email.clone(),
            contact: request.payer_phone.clone(),
        },
        notify: Notify::default(),
        reminder_enable: false,
        notes: BTreeMap::from([
            (RECOVERY_KEY, request.recovery.to_string()),
            (TRANSACTION_KEY, request.transaction_ref.clone()),
        ]),
        callback_url: request.success_url.to_string(),
        callback_method: "get",
        expire_by: request
            .expires_at
            .timestamp()
            .clamp(birth + SHORTEST, birth + LONGEST),
        options: request.method_hint.and_then(method_first),
    }
}

/// Opens Razorpay's page at one method; the payer can still choose another.
fn method_first(hint: PaymentMethodKind) -> Option<serde_json::Value> {
    let method = match hint {
        PaymentMethodKind::Card => "card",
        PaymentMethodKind::Upi => "upi",
        PaymentMethodKind::Netbanking => "netbanking",
        PaymentMethodKind::Wallet => "wallet",
        PaymentMethodKind::Other => return None,
    };
    Some(json!({ "checkout": { "prefill": { "method": method } } }))
}
