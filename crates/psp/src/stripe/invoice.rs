//! Invoices of subscriptions, for merchants whose webhooks name only those.
//!
//! Since version 2025-03-31.basil an invoice no longer names its `PaymentIntent`
//! in webhooks (Stripe's changelog of that version), so the invoice's own id
//! is the payment's.

use super::Stripe;
use super::amount;
use super::charge::refused_charge;
use super::form::Form;
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
            .with("off_session", "true");
        let path = ["v1", "invoices", id, "pay"];
        let answer = self.post("pay_invoice", &path, &form, key).await?;
        if answer.status.is_success() {
            let invoice: WireInvoice = answer.read()?;
            let payment = PaymentRef::stripe(&invoice.id);
            return Ok(if invoice.status.as_deref() == Some("paid") {
                ChargeOutcome::Succeeded {
                    payment,
                    charge: None,
                }
            } else {
                ChargeOutcome::Pending { payment }
            });
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
            Some("paid") => Ok(PaymentStatus::Succeeded {
                charge: None,
                amount: amount::from_wire(invoice.amount_paid, &invoice.currency)
                    .map_err(|fault| PspError::malformed(fault.to_string()))?,
            }),
            Some("void") => Ok(PaymentStatus::Cancelled),
            _ => match default_intent(invoice) {
                Some(intent) => self.unpaid_by(&intent).await,
                None => Ok(UNPAID),
            },
        }
    }

    /// An open invoice stands where its intent does, except that the invoice
    /// outlives an intent that was cancelled.
    async fn unpaid_by(&self, intent: &str) -> Result<PaymentStatus, PspError> {
        match self.intent_status(intent).await? {
            PaymentStatus::Cancelled => Ok(UNPAID),
            status => Ok(status),
        }
    }
}

const UNPAID: PaymentStatus = PaymentStatus::Failed {
    latest_charge: None,
    decline: None,
};

fn default_intent(invoice: WireInvoice) -> Option<String> {
    let mut payments = invoice.payments?.data;
    payments.sort_by_key(|payment| !payment.is_default);
    payments
        .into_iter()
        .find_map(|payment| payment.payment.payment_intent)
        .map(Reference::into_id)
}
