//! Refunds and disputes.

use serde_json::{Value, json};

use super::account::shown;
use super::call::Call;
use super::charges::ChargeStatus;
use super::errors::StripeError;
use super::form::Params;

/// `POST /v1/refunds`: of a charge or an intent's charge, in whole or in part.
pub(crate) fn refund(call: &mut Call<'_>, params: &Params) -> Result<Value, StripeError> {
    params.only(&["charge", "payment_intent", "amount", "reason", "metadata"])?;
    let id = charge_of(call, params)?;
    let mut charge = call.account.charge(&id)?.clone();
    let left = charge.amount - charge.amount_refunded;
    let amount = params.integer("amount")?.unwrap_or(left);
    if charge.status != ChargeStatus::Succeeded || amount < 1 || amount > left {
        let message = format!("Charge {id} has {left} left to refund.");
        return Err(StripeError::parameter(
            "charge_already_refunded",
            message,
            "amount",
        ));
    }
    charge.amount_refunded += amount;
    charge.refunded = charge.amount_refunded == charge.amount;
    let shown_charge = shown(&charge);
    let (intent, currency) = (charge.payment_intent.clone(), charge.currency.clone());
    call.account.charges.put(&id, charge);
    call.emit("charge.refunded", &shown_charge);
    Ok(json!({
        "id": call.ids.stripe("re_"), "object": "refund", "amount": amount, "charge": id,
        "currency": currency, "payment_intent": intent, "status": "succeeded",
    }))
}

/// The payer disputes a charge at the bank.
pub(crate) fn dispute(
    call: &mut Call<'_>,
    payment_intent: &str,
    reason: &str,
) -> Result<Value, StripeError> {
    let id = latest_charge(call, payment_intent)?;
    let mut charge = call.account.charge(&id)?.clone();
    charge.disputed = true;
    let dispute = json!({
        "id": call.ids.next("dp_", 24), "object": "dispute", "amount": charge.amount,
        "charge": id, "created": call.now.timestamp(), "currency": charge.currency,
        "is_charge_refundable": false, "livemode": false, "metadata": {},
        "payment_intent": payment_intent, "reason": reason, "status": "needs_response",
    });
    call.account.charges.put(&id, charge);
    call.emit("charge.dispute.created", &dispute);
    Ok(dispute)
}

fn charge_of(call: &mut Call<'_>, params: &Params) -> Result<String, StripeError> {
    match (params.text("charge"), params.text("payment_intent")) {
        (Some(charge), _) => Ok(charge.to_owned()),
        (None, Some(intent)) => latest_charge(call, intent),
        (None, None) => Err(StripeError::missing_parameter("charge")),
    }
}

fn latest_charge(call: &mut Call<'_>, intent: &str) -> Result<String, StripeError> {
    let latest = call.account.intent(intent)?.latest_charge.clone();
    latest.ok_or_else(|| StripeError::missing_parameter("charge"))
}
