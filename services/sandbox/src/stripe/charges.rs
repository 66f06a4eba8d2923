//! Charges: one per attempt to take money.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::account::shown;
use super::call::Call;
use super::declines::Decline;
use super::errors::StripeError;
use super::form::Params;
use super::payment_intents::{PaymentIntent, listing};
use super::payment_methods::{BillingDetails, PaymentMethod};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ChargeStatus {
    Succeeded,
    Pending,
    Failed,
}

#[expect(clippy::struct_excessive_bools, reason = "the shape is Stripe's")]
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Charge {
    pub(crate) id: String,
    pub(crate) object: &'static str,
    pub(crate) amount: i64,
    pub(crate) amount_captured: i64,
    pub(crate) amount_refunded: i64,
    pub(crate) billing_details: BillingDetails,
    pub(crate) captured: bool,
    pub(crate) created: i64,
    pub(crate) currency: String,
    pub(crate) customer: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) disputed: bool,
    pub(crate) failure_code: Option<String>,
    pub(crate) failure_message: Option<String>,
    pub(crate) livemode: bool,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) outcome: Value,
    pub(crate) paid: bool,
    pub(crate) payment_details: Option<Value>,
    pub(crate) payment_intent: Option<String>,
    pub(crate) payment_method: String,
    pub(crate) payment_method_details: Value,
    pub(crate) receipt_email: Option<String>,
    pub(crate) refunded: bool,
    pub(crate) status: ChargeStatus,
}

impl Charge {
    /// The charge on `method` for `intent` that ended so: no decline means that it was paid, or is
    /// about to be when `status` is pending.
    pub(crate) fn new(
        id: String,
        created: i64,
        intent: &PaymentIntent,
        method: &PaymentMethod,
        status: ChargeStatus,
        decline: Option<&Decline>,
    ) -> Self {
        let paid = status == ChargeStatus::Succeeded;
        Self {
            id,
            object: "charge",
            amount: intent.amount,
            amount_captured: if paid { intent.amount } else { 0 },
            amount_refunded: 0,
            billing_details: method.billing_details.clone(),
            captured: paid,
            created,
            currency: intent.currency.clone(),
            customer: intent.customer.clone(),
            description: intent.description.clone(),
            disputed: false,
            failure_code: decline.map(|decline| decline.code.clone()),
            failure_message: decline.map(|decline| decline.message.clone()),
            livemode: false,
            metadata: intent.metadata.clone(),
            outcome: outcome(decline),
            paid,
            payment_details: intent.payment_details.clone(),
            payment_intent: Some(intent.id.clone()),
            payment_method: method.id.clone(),
            payment_method_details: details(method),
            receipt_email: intent.receipt_email.clone(),
            refunded: false,
            status,
        }
    }

    /// A pending charge is paid.
    pub(crate) fn pay(&mut self) {
        self.status = ChargeStatus::Succeeded;
        self.paid = true;
        self.captured = true;
        self.amount_captured = self.amount;
    }

    /// A pending charge fails.
    pub(crate) fn fail(&mut self, decline: &Decline) {
        self.status = ChargeStatus::Failed;
        self.failure_code = Some(decline.code.clone());
        self.failure_message = Some(decline.message.clone());
        self.outcome = outcome(Some(decline));
    }
}

fn outcome(decline: Option<&Decline>) -> Value {
    let Some(decline) = decline else {
        return json!({
            "advice_code": null, "network_advice_code": null, "network_decline_code": null,
            "network_status": "approved_by_network", "reason": null, "risk_level": "normal",
            "seller_message": "Payment complete.", "type": "authorized",
        });
    };
    json!({
        "advice_code": decline.advice_code,
        "network_advice_code": decline.network_advice_code,
        "network_decline_code": decline.network_decline_code,
        "network_status": "declined_by_network",
        "reason": decline.reason(),
        "risk_level": "normal",
        "seller_message": "The bank did not return any further details with this decline.",
        "type": "issuer_declined",
    })
}

fn details(method: &PaymentMethod) -> Value {
    let mut card = shown(&method.card);
    card["network"] = method.card.brand.as_str().into();
    json!({ "type": "card", "card": card })
}

pub(crate) fn retrieve(call: &Call<'_>, id: &str) -> Result<Value, StripeError> {
    call.account.charge(id).map(shown)
}

/// Newest first, of a payment intent or a customer when one is named.
pub(crate) fn list(call: &Call<'_>, params: &Params) -> Result<Value, StripeError> {
    params.only(&[
        "customer",
        "payment_intent",
        "limit",
        "starting_after",
        "ending_before",
        "created",
    ])?;
    let intent = params.text("payment_intent");
    let customer = params.text("customer");
    let charges = call.account.charges.newest_first().filter(|charge| {
        intent.is_none_or(|it| charge.payment_intent.as_deref() == Some(it))
            && customer.is_none_or(|it| charge.customer.as_deref() == Some(it))
    });
    listing(
        charges.map(|charge| (charge.id.as_str(), charge)),
        "/v1/charges",
        params,
    )
}
