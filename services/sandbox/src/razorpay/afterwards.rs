//! What becomes of a payment later: authorized late, captured, refunded, disputed.

use serde_json::{Value, json};

use super::call::{Call, shown};
use super::errors::RazorpayError;
use super::payments::{self, Payment, PaymentStatus};

/// The bank authorizes a payment that was marked as failed before.
pub(crate) fn authorize_late(call: &mut Call<'_>, id: &str) -> Result<Value, RazorpayError> {
    let mut payment = call.account.payment(id)?.clone();
    if payment.status != PaymentStatus::Failed {
        return Err(wrong_state("The payment has not failed"));
    }
    payment.status = PaymentStatus::Authorized;
    payment.error_code = None;
    payment.error_description = None;
    payment.error_reason = None;
    payment.error_source = None;
    payment.error_step = None;
    put(call, &payment);
    call.emit("payment.authorized", &[("payment", shown(&payment))]);
    Ok(shown(&payment))
}

/// `POST /v1/payments/{id}/capture`.
pub(crate) fn capture(call: &mut Call<'_>, id: &str) -> Result<Value, RazorpayError> {
    let mut payment = call.account.payment(id)?.clone();
    if payment.status != PaymentStatus::Authorized {
        let description =
            "Only payments which have been authorized and not yet captured can be captured";
        return Err(wrong_state(description));
    }
    call.account.order(&payment.order_id)?.note_try(true)?;
    payment.status = PaymentStatus::Captured;
    payment.captured = true;
    put(call, &payment);
    payments::record(call, &payment);
    call.emit("payment.captured", &[("payment", shown(&payment))]);
    let order = shown(call.account.order(&payment.order_id)?);
    let entities = [("payment", shown(&payment)), ("order", order)];
    call.emit("order.paid", &entities);
    Ok(shown(&payment))
}

/// `POST /v1/payments/{id}/refund`; of an authorized payment it is what Razorpay does by itself
/// when nobody captures it.
pub(crate) fn refund(
    call: &mut Call<'_>,
    id: &str,
    amount: Option<i64>,
) -> Result<Value, RazorpayError> {
    let mut payment = call.account.payment(id)?.clone();
    let left = payment.amount - payment.amount_refunded;
    let amount = amount.unwrap_or(left);
    let refundable = matches!(
        payment.status,
        PaymentStatus::Authorized | PaymentStatus::Captured
    );
    if !refundable || amount < 1 || amount > left {
        return Err(wrong_state("The payment cannot be refunded"));
    }
    payment.amount_refunded += amount;
    let whole = payment.amount_refunded == payment.amount;
    payment.refund_status = Some(if whole { "full" } else { "partial" }.to_owned());
    if whole {
        payment.status = PaymentStatus::Refunded;
    }
    put(call, &payment);
    let refund = json!({
        "id": call.ids.razorpay("rfnd_"), "entity": "refund", "amount": amount,
        "currency": payment.currency, "payment_id": id, "notes": [], "receipt": null,
        "created_at": call.now.timestamp(), "status": "processed", "speed_processed": "normal",
    });
    let entities = [("refund", refund.clone()), ("payment", shown(&payment))];
    call.emit("refund.processed", &entities);
    Ok(refund)
}

/// The payer disputes a payment at the bank.
pub(crate) fn dispute(call: &mut Call<'_>, id: &str, reason: &str) -> Result<Value, RazorpayError> {
    let payment = call.account.payment(id)?.clone();
    let dispute = json!({
        "id": call.ids.razorpay("disp_"), "entity": "dispute", "payment_id": id,
        "amount": payment.amount, "currency": payment.currency, "amount_deducted": 0,
        "reason_code": reason, "phase": "chargeback", "status": "open",
        "created_at": call.now.timestamp(),
    });
    let entities = [("payment", shown(&payment)), ("dispute", dispute.clone())];
    call.emit("payment.dispute.created", &entities);
    Ok(dispute)
}

fn put(call: &mut Call<'_>, payment: &Payment) {
    let id = payment.id.clone();
    call.account.payments.put(&id, payment.clone());
}

fn wrong_state(description: &str) -> RazorpayError {
    RazorpayError::BadRequest {
        description: description.to_owned(),
        field: None,
    }
}
