//! What the merchant and its payer did apart from Tinko, played through the control API.

use serde::Deserialize;
use serde_json::{Value, json};

use super::call::{Call, shown};
use super::errors::RazorpayError;
use super::notes::Notes;
use super::orders;
use super::payments::{self, Failure, Means, Try};

fn upi() -> String {
    "upi".to_owned()
}

/// A payment that the payer tried at the merchant's and that failed.
#[derive(Debug, Deserialize)]
pub(crate) struct FailedPayment {
    /// Minor units.
    amount: i64,
    #[serde(default)]
    currency: Option<String>,
    #[serde(default = "upi")]
    method: String,
    error_reason: String,
    #[serde(default)]
    error_code: Option<String>,
    #[serde(default)]
    error_source: Option<String>,
    #[serde(default)]
    error_step: Option<String>,
    #[serde(default)]
    error_description: Option<String>,
    #[serde(default)]
    contact: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    vpa: Option<String>,
    #[serde(default)]
    receipt: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    notes: Notes,
    /// An order that was tried before; without it a new one is made.
    #[serde(default)]
    order_id: Option<String>,
}

pub(crate) fn fail_payment(
    call: &mut Call<'_>,
    asked: FailedPayment,
) -> Result<Value, RazorpayError> {
    let (amount, currency) = orders::money(Some(asked.amount), asked.currency.as_deref())?;
    let or = |given: Option<String>, usual: &str| given.unwrap_or_else(|| usual.to_owned());
    let failure = Failure {
        code: or(asked.error_code, "GATEWAY_ERROR"),
        description: or(asked.error_description, "The payment failed."),
        source: or(asked.error_source, "customer"),
        step: or(asked.error_step, "payment_debit_request"),
        reason: asked.error_reason,
    };
    let is_upi = asked.method == "upi";
    let means = Means {
        vpa: asked.vpa.or_else(|| is_upi.then(|| "payer@upi".to_owned())),
        method: asked.method,
        email: asked.email,
        contact: asked.contact,
    };
    let order = match asked.order_id {
        Some(order) => order,
        None => orders::make(call, amount, currency, asked.receipt, asked.notes.clone()),
    };
    let tried = Try {
        order_id: order.clone(),
        means,
        notes: asked.notes,
        description: asked.description,
        failure: Some(failure),
    };
    let payment = payments::attempt(call, tried)?;
    let event_id = call.emit("payment.failed", &[("payment", shown(&payment))]);
    Ok(json!({ "payment": payment.id, "order": order, "event_id": event_id }))
}

/// The payer pays the merchant's order directly: Tinko hears of it by webhook only.
pub(crate) fn pay_elsewhere(call: &mut Call<'_>, order_id: &str) -> Result<Value, RazorpayError> {
    let notes = call.account.order(order_id)?.notes.clone();
    let means = Means {
        method: upi(),
        vpa: Some("success@razorpay".to_owned()),
        email: None,
        contact: None,
    };
    let tried = Try {
        order_id: order_id.to_owned(),
        means,
        notes,
        description: None,
        failure: None,
    };
    let payment = payments::attempt(call, tried)?;
    call.emit("payment.captured", &[("payment", shown(&payment))]);
    let order = shown(call.account.order(order_id)?);
    let event_id = call.emit(
        "order.paid",
        &[("payment", shown(&payment)), ("order", order)],
    );
    Ok(json!({ "payment": payment.id, "order": order_id, "event_id": event_id }))
}
