//! Invoices of subscriptions.
//!
//! What is charged of a bill is the bill: paid as an invoice, it is closed, and
//! neither Stripe's own retries nor the merchant's subscription go on about it.
//! An invoice is paid once, as an intent is. Stripe retries an invoice by itself
//! (Smart Retries) until it is paid, voided or given up; `next_payment_attempt`
//! says when, so that two don't race for it.
//!
//! Since version 2025-03-31.basil an invoice names its intents only in its
//! `payments`, which are asked for here (Stripe's changelog of that version,
//! "Adds support for multiple partial payments on invoices").

use chrono::DateTime;

use super::Stripe;
use super::charge::refused_charge;
use super::form::Form;
use super::status::paid;
use super::wire::{Reference, Refusal, WireInvoice};
use crate::http::Answer;
use crate::{ChargeOutcome, PaymentRef, PaymentStatus, PspError};

impl Stripe {
    pub(super) async fn pay_invoice(
        &self,
        id: &str,
        method: &str,
        key: &str,
    ) -> Result<ChargeOutcome, PspError> {
        let form = Form::default()
            .with("payment_method", method)
            .with("off_session", "true")
            .with("expand[]", "payments");
        let path = ["v1", "invoices", id, "pay"];
        let answer = self.post("pay_invoice", &path, &form, key).await?;
        if answer.status.is_success() {
            let invoice: WireInvoice = answer.read()?;
            let payment = PaymentRef::stripe(&invoice.id);
            if invoice.status.as_deref() != Some("paid") {
                return Ok(ChargeOutcome::Pending { payment });
            }
            // The invoice is paid whether its charge can be named or not.
            let charge = self.charge_of(invoice).await.unwrap_or_default();
            return Ok(ChargeOutcome::Succeeded { payment, charge });
        }
        self.unpaid_invoice(&answer, id).await
    }

    /// A paid invoice refuses to be paid with a plain `invalid_request_error`,
    /// so a refusal that is no decline is looked into.
    async fn unpaid_invoice(&self, answer: &Answer, id: &str) -> Result<ChargeOutcome, PspError> {
        let refused = refused_charge(answer, answer.read::<Refusal>()?.error, Some(id));
        if !matches!(refused, Err(PspError::Refused { .. })) {
            return refused;
        }
        match self.invoice_status(id).await? {
            PaymentStatus::Succeeded { charge, .. } => Ok(ChargeOutcome::Succeeded {
                payment: PaymentRef::stripe(id),
                charge,
            }),
            PaymentStatus::Pending => Ok(ChargeOutcome::Pending {
                payment: PaymentRef::stripe(id),
            }),
            PaymentStatus::Failed { .. } | PaymentStatus::Cancelled => refused,
        }
    }

    pub(super) async fn invoice_status(&self, id: &str) -> Result<PaymentStatus, PspError> {
        let query = [("expand[]", "payments".to_owned())];
        let invoice: WireInvoice = self
            .fetch("look_up_invoice", &["v1", "invoices", id], &query)
            .await?;
        match invoice.status.as_deref() {
            Some("paid") => {
                let amount = paid(invoice.amount_paid, &invoice.currency)?;
                let charge = self.charge_of(invoice).await?;
                Ok(PaymentStatus::Succeeded { charge, amount })
            }
            Some("void" | "uncollectible") => Ok(PaymentStatus::Cancelled),
            _ => self.unpaid(invoice).await,
        }
    }

    async fn charge_of(&self, invoice: WireInvoice) -> Result<Option<String>, PspError> {
        let Some(intent) = default_intent(invoice) else {
            return Ok(None);
        };
        let intent = self.intent(&intent).await?;
        Ok(intent.latest_charge.map(Reference::into_id))
    }

    /// An open invoice stands where its intent does, except that the invoice
    /// outlives an intent that was cancelled.
    async fn unpaid(&self, invoice: WireInvoice) -> Result<PaymentStatus, PspError> {
        let next = invoice
            .next_payment_attempt
            .filter(|_| invoice.auto_advance);
        let next = next.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        let status = match default_intent(invoice) {
            Some(intent) => self.intent_status(&intent).await?,
            None => PaymentStatus::UNPAID,
        };
        let status = match status {
            PaymentStatus::Cancelled => PaymentStatus::UNPAID,
            status => status,
        };
        Ok(match status {
            PaymentStatus::Failed {
                latest_charge,
                decline,
                ..
            } => PaymentStatus::Failed {
                latest_charge,
                decline,
                psp_tries_at: next,
            },
            status => status,
        })
    }
}

fn default_intent(invoice: WireInvoice) -> Option<String> {
    let mut payments = invoice.payments?.data;
    payments.sort_by_key(|payment| !payment.is_default);
    payments
        .into_iter()
        .find_map(|payment| payment.payment.payment_intent)
        .map(Reference::into_id)
}
