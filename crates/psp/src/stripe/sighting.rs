//! What became of a charge whose answer nobody heard.

use domain::Provider;

use super::Stripe;
use super::charge::Target;
use crate::{ChargeRequest, PaymentRef, PaymentStatus, PspError, Sighting};

impl Stripe {
    /// By the payment's own state: the charge that confirms a merchant's intent
    /// or invoice carries no mark of ours, so it is told by being another than
    /// the one that was there before. What an attempt makes anew is found by its
    /// attempt's id.
    pub(crate) async fn look_up_charge(
        &self,
        request: &ChargeRequest,
        charge_before: Option<&str>,
    ) -> Result<Sighting, PspError> {
        match Target::of(request.payment_ref.as_ref())? {
            Target::Intent(id) | Target::Invoice(id) => {
                let status = self.payment_status(id).await?;
                Ok(seen(PaymentRef::stripe(id), status, charge_before))
            }
            Target::New => {
                let customer = request.saved_means.customer.as_deref();
                let found = self.find_charge(request.attempt, customer).await?;
                Ok(found.map_or(Sighting::NotMade, |found| {
                    seen(found.payment, found.status, None)
                }))
            }
        }
    }
}

fn seen(payment: PaymentRef, status: PaymentStatus, charge_before: Option<&str>) -> Sighting {
    debug_assert!(payment.provider == Provider::Stripe);
    match status {
        PaymentStatus::Succeeded { charge, amount } => Sighting::Succeeded {
            payment,
            charge,
            amount,
        },
        PaymentStatus::Pending => Sighting::Pending,
        PaymentStatus::Cancelled => Sighting::Cancelled,
        PaymentStatus::Failed {
            latest_charge,
            decline,
            ..
        } => {
            if latest_charge.is_none() || latest_charge.as_deref() == charge_before {
                return Sighting::NotMade;
            }
            let mut decline = decline.unwrap_or_default();
            decline.charge = decline.charge.take().or(latest_charge);
            Sighting::Declined(decline)
        }
    }
}
