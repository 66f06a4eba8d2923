//! Payments: one per try at an order, captured or failed.

use serde::Serialize;
use serde_json::{Value, json};

use super::call::{Call, shown};
use super::errors::RazorpayError;
use super::notes::Notes;
use super::orders::Order;
use crate::ledger::Attempt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PaymentStatus {
    Authorized,
    Captured,
    Refunded,
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

/// A try at an order.
#[derive(Debug, Clone)]
pub(crate) struct Try {
    pub(crate) order_id: String,
    pub(crate) means: Means,
    pub(crate) notes: Notes,
    pub(crate) description: Option<String>,
    /// Set when it is to fail.
    pub(crate) failure: Option<Failure>,
}

/// Makes the try: writes the payment, the order's new state and the ledger. The events are the
/// caller's.
pub(crate) fn attempt(call: &mut Call<'_>, tried: Try) -> Result<Payment, RazorpayError> {
    let id = call.ids.razorpay("pay_");
    let is_card = tried.means.method == "card";
    let card_id = is_card.then(|| call.ids.razorpay("card_"));
    let created_at = call.now.timestamp();
    let order = call.account.order(&tried.order_id)?;
    order.note_try(tried.failure.is_none())?;
    let payment = Payment::new(id, card_id, created_at, order, tried);
    record(call, &payment);
    call.account
        .payments
        .put(&payment.id.clone(), payment.clone());
    Ok(payment)
}

impl Payment {
    fn new(
        id: String,
        card_id: Option<String>,
        created_at: i64,
        order: &Order,
        tried: Try,
    ) -> Self {
        let captured = tried.failure.is_none();
        let of = |part: fn(&Failure) -> &String| tried.failure.as_ref().map(|it| part(it).clone());
        // Razorpay's standard fee of 2 % and the tax of 18 % on that, both once captured.
        let tax = order.amount / 50 * 18 / 100;
        Self {
            acquirer_data: acquirer_data(&tried.means.method, &id),
            id,
            entity: "payment",
            amount: order.amount,
            amount_refunded: 0,
            bank: None,
            captured,
            card_id,
            contact: tried.means.contact,
            created_at,
            currency: order.currency.clone(),
            description: tried.description,
            email: tried.means.email,
            error_code: of(|it| &it.code),
            error_description: of(|it| &it.description),
            error_reason: of(|it| &it.reason),
            error_source: of(|it| &it.source),
            error_step: of(|it| &it.step),
            fee: captured.then_some(order.amount / 50 + tax),
            international: false,
            invoice_id: None,
            method: tried.means.method,
            notes: tried.notes,
            order_id: order.id.clone(),
            refund_status: None,
            status: if captured {
                PaymentStatus::Captured
            } else {
                PaymentStatus::Failed
            },
            tax: captured.then_some(tax),
            vpa: tried.means.vpa,
            wallet: None,
        }
    }
}

fn acquirer_data(method: &str, id: &str) -> Value {
    match method {
        "upi" => json!({ "rrn": null, "upi_transaction_id": id.to_ascii_uppercase() }),
        "card" => json!({ "auth_code": null }),
        _ => json!({}),
    }
}

pub(super) fn record(call: &mut Call<'_>, payment: &Payment) {
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
