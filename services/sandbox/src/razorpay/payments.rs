//! Payments: one per try at an order, captured or failed.

use serde::Serialize;
use serde_json::{Value, json};

use super::call::{Call, shown};
use super::errors::RazorpayError;
use super::notes::Notes;
use super::orders::OrderStatus;
use crate::ledger::Attempt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PaymentStatus {
    Captured,
    Failed,
}

/// Why a payment failed, in Razorpay's words.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) code: String,
    pub(crate) description: String,
    pub(crate) source: String,
    pub(crate) step: String,
    pub(crate) reason: String,
}

/// How someone pays.
#[derive(Debug, Clone)]
pub(crate) struct Means {
    /// `upi` or `card`, `netbanking`, `wallet`, …
    pub(crate) method: String,
    pub(crate) vpa: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) contact: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Payment {
    pub(crate) id: String,
    pub(crate) entity: &'static str,
    pub(crate) acquirer_data: Value,
    pub(crate) amount: i64,
    pub(crate) amount_refunded: i64,
    pub(crate) bank: Option<String>,
    pub(crate) captured: bool,
    pub(crate) card_id: Option<String>,
    pub(crate) contact: Option<String>,
    pub(crate) created_at: i64,
    pub(crate) currency: String,
    pub(crate) description: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) error_code: Option<String>,
    pub(crate) error_description: Option<String>,
    pub(crate) error_reason: Option<String>,
    pub(crate) error_source: Option<String>,
    pub(crate) error_step: Option<String>,
    pub(crate) fee: Option<i64>,
    pub(crate) international: bool,
    pub(crate) invoice_id: Option<String>,
    pub(crate) method: String,
    pub(crate) notes: Notes,
    pub(crate) order_id: String,
    pub(crate) refund_status: Option<String>,
    pub(crate) status: PaymentStatus,
    pub(crate) tax: Option<i64>,
    pub(crate) vpa: Option<String>,
    pub(crate) wallet: Option<String>,
}

/// Tries to pay an order by `means`; a failure is told when it is to fail.
///
/// Writes the payment, the order's new state and the ledger; the events are the caller's.
pub(crate) fn attempt(
    call: &mut Call<'_>,
    order_id: &str,
    means: Means,
    notes: Notes,
    description: Option<String>,
    failure: Option<Failure>,
) -> Result<Payment, RazorpayError> {
    let id = call.ids.razorpay("pay_");
    let created_at = call.now.timestamp();
    let is_card = means.method == "card";
    let card_id = is_card.then(|| call.ids.razorpay("card_"));
    let captured = failure.is_none();
    let order = call.account.order(order_id)?;
    if order.status == OrderStatus::Paid {
        return Err(RazorpayError::bad(
            "Payment already done for this order.",
            "order_id",
        ));
    }
    order.attempts += 1;
    order.status = OrderStatus::Attempted;
    if captured {
        order.status = OrderStatus::Paid;
        order.amount_paid = order.amount;
        order.amount_due = 0;
    }
    let of = |part: fn(&Failure) -> &String| failure.as_ref().map(|it| part(it).clone());
    // Razorpay's standard fee of 2 % and the tax of 18 % on it, both only once captured.
    let fee = captured.then(|| order.amount / 50 + order.amount / 50 * 18 / 100);
    let payment = Payment {
        acquirer_data: acquirer_data(&means, &id),
        id,
        entity: "payment",
        amount: order.amount,
        amount_refunded: 0,
        bank: None,
        captured,
        card_id,
        contact: means.contact,
        created_at,
        currency: order.currency.clone(),
        description,
        email: means.email,
        error_code: of(|it| &it.code),
        error_description: of(|it| &it.description),
        error_reason: of(|it| &it.reason),
        error_source: of(|it| &it.source),
        error_step: of(|it| &it.step),
        fee,
        international: false,
        invoice_id: None,
        method: means.method,
        notes,
        order_id: order_id.to_owned(),
        refund_status: None,
        status: if captured {
            PaymentStatus::Captured
        } else {
            PaymentStatus::Failed
        },
        tax: captured.then(|| order.amount / 50 * 18 / 100),
        vpa: means.vpa,
        wallet: None,
    };
    record(call, &payment);
    call.account
        .payments
        .put(&payment.id.clone(), payment.clone());
    Ok(payment)
}

fn acquirer_data(means: &Means, id: &str) -> Value {
    match means.method.as_str() {
        "upi" => json!({ "rrn": null, "upi_transaction_id": id.to_ascii_uppercase() }),
        "card" => json!({ "auth_code": null }),
        _ => json!({}),
    }
}

fn record(call: &mut Call<'_>, payment: &Payment) {
    let order = call.account.orders.get(&payment.order_id);
    let receipt = order.and_then(|order| order.receipt.clone());
    call.effects.attempts.push(Attempt {
        provider: "razorpay",
        account: call.account.id.clone(),
        payment: payment.order_id.clone(),
        payment_intent: None,
        charge: payment.id.clone(),
        amount: payment.amount,
        currency: payment.currency.clone(),
        succeeded: payment.captured,
        outcome: payment
            .error_reason
            .clone()
            .unwrap_or_else(|| "ok".to_owned()),
        idempotency_key: None,
        reference: receipt,
        metadata: payment.notes.0.clone(),
        initiator: call.initiator,
        at: call.now,
    });
}

pub(crate) fn fetch(call: &Call<'_>, id: &str) -> Result<Value, RazorpayError> {
    call.account.payment(id).map(shown)
}
