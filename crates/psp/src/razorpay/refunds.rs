//! What went back of a payment.

use domain::{Currency, Money};
use serde::Deserialize;

use super::Razorpay;
use crate::PspError;

/// The part of a payment that tells of refunds.
/// <https://razorpay.com/docs/api/payments/entity/>
#[derive(Deserialize)]
struct Refunds {
    #[serde(default)]
    amount_refunded: Option<i64>,
    currency: String,
}

impl Razorpay {
    pub(crate) async fn refunded(&self, payment: &str) -> Result<Option<Money>, PspError> {
        let path = ["v1", "payments", payment];
        let told: Refunds = self.fetch("look_up", &path, &[]).await?;
        let malformed = |fault: String| PspError::malformed(fault);
        match told.amount_refunded {
            None | Some(0) => Ok(None),
            Some(minor) => {
                let currency = Currency::parse(&told.currency)
                    .map_err(|fault| malformed(fault.to_string()))?;
                let back = Money::new(minor, currency);
                back.map(Some).map_err(|fault| malformed(fault.to_string()))
            }
        }
    }
}
