//! Orders: what is to be paid; payments are tries at it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::{Call, shown};
use super::errors::RazorpayError;
use super::notes::Notes;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OrderStatus {
    Created,
    Attempted,
    Paid,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) entity: &'static str,
    pub(crate) amount: i64,
    pub(crate) amount_due: i64,
    pub(crate) amount_paid: i64,
    pub(crate) attempts: u32,
    pub(crate) created_at: i64,
    pub(crate) currency: String,
    pub(crate) notes: Notes,
    pub(crate) offer_id: Option<String>,
    pub(crate) receipt: Option<String>,
    pub(crate) status: OrderStatus,
}

impl Order {
    /// Counts a try at the order, and marks it as paid when the try succeeded.
    pub(crate) fn note_try(&mut self, paid: bool) -> Result<(), RazorpayError> {
        if self.status == OrderStatus::Paid {
            let description = "Payment already done for this order.";
            return Err(RazorpayError::bad(description, "order_id"));
        }
        self.attempts += 1;
        self.status = OrderStatus::Attempted;
        if paid {
            self.status = OrderStatus::Paid;
            self.amount_paid = self.amount;
            self.amount_due = 0;
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct NewOrder {
    amount: Option<i64>,
    currency: Option<String>,
    #[serde(default)]
    receipt: Option<String>,
    #[serde(default)]
    notes: Notes,
}

/// Razorpay's least amount: 100 minor units.
const LEAST: i64 = 100;

/// An amount and a currency as Razorpay takes them.
pub(crate) fn money(
    amount: Option<i64>,
    currency: Option<&str>,
) -> Result<(i64, String), RazorpayError> {
    let amount =
        amount.ok_or_else(|| RazorpayError::bad("The amount field is required.", "amount"))?;
    if amount < LEAST {
        return Err(RazorpayError::bad(
            "Order amount less than minimum amount allowed",
            "amount",
        ));
    }
    let currency = currency.unwrap_or("INR");
    if iso_currency::Currency::from_code(currency).is_none() {
        return Err(RazorpayError::bad("Currency is not supported", "currency"));
    }
    Ok((amount, currency.to_owned()))
}

pub(crate) fn create(call: &mut Call<'_>, body: &[u8]) -> Result<Value, RazorpayError> {
    let new: NewOrder = super::api::parse(body)?;
    let (amount, currency) = money(new.amount, new.currency.as_deref())?;
    let id = make(call, amount, currency, new.receipt, new.notes);
    call.account.order(&id).map(|order| shown(order))
}

pub(crate) fn make(
    call: &mut Call<'_>,
    amount: i64,
    currency: String,
    receipt: Option<String>,
    notes: Notes,
) -> String {
    let id = call.ids.razorpay("order_");
    let order = Order {
        id: id.clone(),
        entity: "order",
        amount,
        amount_due: amount,
        amount_paid: 0,
        attempts: 0,
        created_at: call.now.timestamp(),
        currency,
        notes,
        offer_id: None,
        receipt,
        status: OrderStatus::Created,
    };
    call.account.orders.put(&id, order);
    id
}

pub(crate) fn fetch(call: &mut Call<'_>, id: &str) -> Result<Value, RazorpayError> {
    call.account.order(id).map(|order| shown(order))
}

/// The payments of an order, newest first.
pub(crate) fn payments(call: &mut Call<'_>, id: &str) -> Result<Value, RazorpayError> {
    call.account.order(id)?;
    let payments = call.account.payments.newest_first();
    let items: Vec<Value> = payments
        .filter(|payment| payment.order_id == id)
        .map(shown)
        .collect();
    Ok(json!({ "entity": "collection", "count": items.len(), "items": items }))
}
