//! What went back of a charge.

use domain::Money;
use serde::Deserialize;

use super::{Stripe, amount};
use crate::PspError;

/// The part of a charge that tells of refunds.
/// <https://docs.stripe.com/api/charges/object#charge_object-amount_refunded>
#[derive(Deserialize)]
struct Refunds {
    #[serde(default)]
    amount_refunded: i64,
    currency: String,
}

impl Stripe {
    pub(crate) async fn refunded(&self, charge: &str) -> Result<Option<Money>, PspError> {
        let told: Refunds = self
            .fetch("look_up_charge", &["v1", "charges", charge], &[])
            .await?;
        if told.amount_refunded == 0 {
            return Ok(None);
        }
        let back = amount::from_wire(told.amount_refunded, &told.currency);
        back.map(Some)
            .map_err(|fault| PspError::malformed(fault.to_string()))
    }
}
