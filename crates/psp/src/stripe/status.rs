//! Where a payment stands.

use super::charge::decline_of;
use super::wire::{Reference, WireCharge, WireIntent};
use super::{Stripe, amount};
use crate::{PaymentStatus, PspError};

impl Stripe {
    pub(crate) async fn payment_status(&self, id: &str) -> Result<PaymentStatus, PspError> {
        match id.split_once('_').map(|(kind, _)| kind) {
            Some("pi") => self.intent_status(id).await,
            Some("in") => self.invoice_status(id).await,
            Some("ch" | "py") => self.charge_status(id).await,
            _ => Err(PspError::bad_reference(id)),
        }
    }

    pub(super) async fn intent(&self, id: &str) -> Result<WireIntent, PspError> {
        self.fetch("look_up", &["v1", "payment_intents", id], &[])
            .await
    }

    pub(super) async fn intent_status(&self, id: &str) -> Result<PaymentStatus, PspError> {
        status_of(self.intent(id).await?)
    }

    /// A charge's own state is final; where it has an intent, that tells more.
    async fn charge_status(&self, id: &str) -> Result<PaymentStatus, PspError> {
        let charge: WireCharge = self
            .fetch("look_up_charge", &["v1", "charges", id], &[])
            .await?;
        if let Some(intent) = charge.payment_intent {
            return self.intent_status(&intent.into_id()).await;
        }
        match charge.status.as_str() {
            "succeeded" => Ok(PaymentStatus::Succeeded {
                amount: paid(charge.amount, &charge.currency)?,
                charge: Some(charge.id),
            }),
            "pending" => Ok(PaymentStatus::Pending),
            "failed" => Ok(PaymentStatus::Failed {
                latest_charge: Some(charge.id.clone()),
                decline: Some(Box::new(charge.into_decline())),
                psp_tries_at: None,
            }),
            other => Err(PspError::malformed(format!("a charge in state {other:?}"))),
        }
    }
}

pub(super) fn paid(minor: i64, currency: &str) -> Result<domain::Money, PspError> {
    amount::from_wire(minor, currency).map_err(|fault| PspError::malformed(fault.to_string()))
}

pub(super) fn status_of(intent: WireIntent) -> Result<PaymentStatus, PspError> {
    match intent.status.as_str() {
        "succeeded" => Ok(PaymentStatus::Succeeded {
            amount: paid(
                intent.amount_received.unwrap_or(intent.amount),
                &intent.currency,
            )?,
            charge: intent.latest_charge.map(Reference::into_id),
        }),
        "processing" | "requires_capture" => Ok(PaymentStatus::Pending),
        "canceled" => Ok(PaymentStatus::Cancelled),
        "requires_payment_method" | "requires_action" | "requires_confirmation" => {
            let told = intent.last_payment_error.is_some();
            let latest_charge = intent.latest_charge.clone().map(Reference::into_id);
            Ok(PaymentStatus::Failed {
                latest_charge,
                decline: told.then(|| Box::new(decline_of(intent))),
                psp_tries_at: None,
            })
        }
        other => Err(PspError::malformed(format!(
            "a PaymentIntent in state {other:?}"
        ))),
    }
}
