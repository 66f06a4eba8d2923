//! Where a payment stands.
//!
//! A payment (`pay_…`) is one try: failed once, it stays failed, and the payer
//! who tries again makes another payment for the same order. So a failed
//! payment's order is asked as well. One exception: a payment that failed by
//! time-out and that the bank authorizes later after all becomes `authorized`
//! (<https://razorpay.com/docs/payments/payments/late-authorisation/handle>); not
//! captured, it is `refunded` by Razorpay itself, which is as good as failed.

use domain::{Currency, Money};

use super::Razorpay;
use super::wire::{Items, WireOrder, WirePayment};
use crate::{PaymentStatus, PspError};

impl Razorpay {
    pub(crate) async fn payment_status(&self, id: &str) -> Result<PaymentStatus, PspError> {
        match id.split_once('_').map(|(kind, _)| kind) {
            Some("pay") => self.one_payment(id).await,
            Some("order") => self.order(id).await,
            _ => Err(PspError::bad_reference(id)),
        }
    }

    async fn one_payment(&self, id: &str) -> Result<PaymentStatus, PspError> {
        let payment: WirePayment = self.fetch("look_up", &["v1", "payments", id], &[]).await?;
        match (payment.status.as_str(), &payment.order_id) {
            ("refunded", order) if !payment.was_paid() => match order {
                Some(order) => self.order(order).await,
                None => Ok(failed(&payment)),
            },
            ("captured" | "refunded", _) => paid(&payment),
            // Created: in the payer's hands. Authorized: the merchant captures it.
            ("created" | "authorized", _) => Ok(PaymentStatus::Pending),
            ("failed", Some(order)) => self.order(order).await,
            ("failed", None) => Ok(failed(&payment)),
            (other, _) => Err(PspError::malformed(format!("a payment in state {other:?}"))),
        }
    }

    async fn order(&self, id: &str) -> Result<PaymentStatus, PspError> {
        let order: WireOrder = self
            .fetch("look_up_order", &["v1", "orders", id], &[])
            .await?;
        let path = ["v1", "orders", id, "payments"];
        let payments: Items<WirePayment> = self.fetch("look_up_order", &path, &[]).await?;
        let with = |status: &str| {
            let mut all = payments.items.iter();
            all.find(|payment| payment.status == status)
        };
        let mut all = payments.items.iter();
        if let Some(payment) = all.find(|payment| payment.was_paid()) {
            return paid(payment);
        }
        if order.status == "paid" {
            return Ok(PaymentStatus::Succeeded {
                charge: None,
                amount: money(order.amount_paid, &order.currency)?,
            });
        }
        if with("authorized").is_some() {
            return Ok(PaymentStatus::Pending);
        }
        // Razorpay lists the newest first.
        Ok(with("failed").map_or(PaymentStatus::UNPAID, failed))
    }
}

fn paid(payment: &WirePayment) -> Result<PaymentStatus, PspError> {
    Ok(PaymentStatus::Succeeded {
        charge: Some(payment.id.clone()),
        amount: money(payment.amount, &payment.currency)?,
    })
}

fn failed(payment: &WirePayment) -> PaymentStatus {
    PaymentStatus::Failed {
        latest_charge: Some(payment.id.clone()),
        decline: Some(Box::new(payment.decline())),
        psp_tries_at: None,
    }
}

/// Razorpay writes amounts in ISO 4217's minor units throughout.
fn money(minor: i64, currency: &str) -> Result<Money, PspError> {
    let currency =
        Currency::parse(currency).map_err(|fault| PspError::malformed(fault.to_string()))?;
    Money::new(minor, currency).map_err(|fault| PspError::malformed(fault.to_string()))
}
