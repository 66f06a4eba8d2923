//! Payment methods: Stripe's documented test ones, scripted ones, and attaching them.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::account::shown;
use super::call::Call;
use super::declines::{Outcome, Script};
use super::errors::StripeError;
use super::form::Params;

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Card {
    pub(crate) brand: String,
    pub(crate) country: String,
    pub(crate) exp_month: u8,
    pub(crate) exp_year: u16,
    pub(crate) fingerprint: String,
    pub(crate) funding: &'static str,
    pub(crate) last4: String,
}

#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct BillingDetails {
    pub(crate) address: Option<Value>,
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) phone: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct PaymentMethod {
    pub(crate) id: String,
    pub(crate) object: &'static str,
    pub(crate) billing_details: BillingDetails,
    pub(crate) card: Card,
    pub(crate) created: i64,
    pub(crate) customer: Option<String>,
    pub(crate) livemode: bool,
    pub(crate) metadata: BTreeMap<String, String>,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    #[serde(skip)]
    pub(crate) script: Script,
}

/// A card to make a payment method of.
pub(crate) struct Plan {
    pub(crate) brand: String,
    pub(crate) last4: String,
    pub(crate) country: String,
    /// What Stripe knows the number by; without it the card is one of its own.
    pub(crate) fingerprint: Option<String>,
    pub(crate) outcomes: Vec<Outcome>,
}

impl Plan {
    pub(crate) fn new(brand: &str, last4: &str, outcome: &str) -> Self {
        Self {
            brand: brand.to_owned(),
            last4: last4.to_owned(),
            country: "US".to_owned(),
            fingerprint: None,
            outcomes: vec![Outcome::of(outcome)],
        }
    }

    /// A card of a documented number, which brand and last digits tell from every
    /// other one: all payment methods made of it have one fingerprint.
    pub(crate) fn of_number(brand: &str, last4: &str, outcome: &str) -> Self {
        let mut fingerprint = hex::encode(Sha256::digest(format!("{brand} {last4}")));
        fingerprint.truncate(16);
        Self {
            fingerprint: Some(fingerprint),
            ..Self::new(brand, last4, outcome)
        }
    }
}

/// The documented test payment methods (docs.stripe.com/testing); each use makes a new one.
fn documented(token: &str) -> Option<Plan> {
    let (brand, last4, outcome) = match token {
        "pm_card_visa" => ("visa", "4242", "ok"),
        "pm_card_visa_debit" => ("visa", "5556", "ok"),
        "pm_card_mastercard" => ("mastercard", "4444", "ok"),
        "pm_card_amex" => ("amex", "8431", "ok"),
        "pm_card_in" => ("visa", "0008", "ok"),
        "pm_card_chargeDeclined" | "pm_card_visa_chargeDeclined" => {
            ("visa", "0002", "generic_decline")
        }
        "pm_card_chargeCustomerFail" => ("visa", "0341", "generic_decline"),
        "pm_card_chargeDeclinedInsufficientFunds"
        | "pm_card_visa_chargeDeclinedInsufficientFunds" => ("visa", "9995", "insufficient_funds"),
        "pm_card_chargeDeclinedLostCard" | "pm_card_visa_chargeDeclinedLostCard" => {
            ("visa", "9987", "lost_card")
        }
        "pm_card_chargeDeclinedStolenCard" | "pm_card_visa_chargeDeclinedStolenCard" => {
            ("visa", "9979", "stolen_card")
        }
        "pm_card_chargeDeclinedExpiredCard" => ("visa", "0069", "expired_card"),
        "pm_card_chargeDeclinedIncorrectCvc" => ("visa", "0127", "incorrect_cvc"),
        "pm_card_chargeDeclinedProcessingError" => ("visa", "0119", "processing_error"),
        "pm_card_chargeDeclinedVelocityLimitExceeded"
        | "pm_card_visa_chargeDeclinedVelocityLimitExceeded" => {
            ("visa", "6975", "card_velocity_exceeded")
        }
        "pm_card_authenticationRequired"
        | "pm_card_authenticationRequiredOnSetup"
        | "pm_card_threeDSecure2Required" => ("visa", "3155", "authentication_required"),
        _ => return None,
    };
    let mut plan = Plan::of_number(brand, last4, outcome);
    if token == "pm_card_in" {
        "IN".clone_into(&mut plan.country);
    }
    Some(plan)
}

/// Makes a payment method; without `id` it gets one.
pub(crate) fn make(call: &mut Call<'_>, id: Option<String>, plan: Plan) -> String {
    let id = id.unwrap_or_else(|| call.ids.stripe("pm_"));
    let method = PaymentMethod {
        id: id.clone(),
        object: "payment_method",
        billing_details: BillingDetails::default(),
        card: Card {
            brand: plan.brand,
            country: plan.country,
            exp_month: 12,
            exp_year: 2034,
            fingerprint: plan.fingerprint.unwrap_or_else(|| call.ids.next("", 16)),
            funding: "credit",
            last4: plan.last4,
        },
        created: call.now.timestamp(),
        customer: None,
        livemode: false,
        metadata: BTreeMap::new(),
        kind: "card",
        script: Script::new(plan.outcomes),
    };
    call.account.payment_methods.put(&id, method);
    id
}

/// The payment method that a caller means: a documented test one becomes one of its own.
pub(crate) fn resolve(call: &mut Call<'_>, id: &str) -> Result<String, StripeError> {
    if let Some(plan) = documented(id) {
        return Ok(make(call, None, plan));
    }
    Ok(call.account.payment_method(id)?.id.clone())
}

/// Refuses a payment method that belongs to someone else than the payment's customer.
pub(crate) fn check_owner(
    call: &mut Call<'_>,
    id: &str,
    customer: Option<&str>,
) -> Result<(), StripeError> {
    let owner = call.account.payment_method(id)?.customer.clone();
    if owner.is_none() || owner.as_deref() == customer {
        return Ok(());
    }
    let message = if customer.is_some() {
        format!(
            "The customer does not have a payment method with the ID {id}. The payment method must be attached to the customer."
        )
    } else {
        format!(
            "The payment method {id} belongs to a customer. Please include that customer in the `customer` parameter on the PaymentIntent."
        )
    };
    Err(StripeError::parameter(
        "payment_method_customer_mismatch",
        message,
        "payment_method",
    ))
}

pub(crate) fn attach_to(
    call: &mut Call<'_>,
    id: &str,
    customer: &str,
) -> Result<String, StripeError> {
    let details = {
        let customer = call.account.customer(customer)?;
        BillingDetails {
            address: None,
            email: customer.email.clone(),
            name: customer.name.clone(),
            phone: customer.phone.clone(),
        }
    };
    let id = resolve(call, id)?;
    let method = call.account.payment_method(&id)?;
    if method
        .customer
        .as_deref()
        .is_some_and(|owner| owner != customer)
    {
        let message = "The payment method you provided has already been attached to a customer.";
        return Err(StripeError::UnexpectedState {
            code: "payment_method_unexpected_state",
            message: message.to_owned(),
            payment_intent: None,
        });
    }
    method.customer = Some(customer.to_owned());
    method.billing_details = details;
    Ok(id)
}

pub(crate) fn attach(call: &mut Call<'_>, id: &str, params: &Params) -> Result<Value, StripeError> {
    params.only(&["customer"])?;
    let id = attach_to(call, id, params.required("customer")?)?;
    let answer = shown(call.account.payment_method(&id)?);
    call.emit("payment_method.attached", &answer);
    Ok(answer)
}

pub(crate) fn retrieve(call: &mut Call<'_>, id: &str) -> Result<Value, StripeError> {
    let id = resolve(call, id)?;
    call.account.payment_method(&id).map(|method| shown(method))
}

/// The cards of a customer, newest first.
pub(crate) fn list(call: &Call<'_>, customer: &str) -> Result<Value, StripeError> {
    call.account.customer(customer)?;
    let methods = call.account.payment_methods.newest_first();
    let data: Vec<Value> = methods
        .filter(|method| method.customer.as_deref() == Some(customer))
        .map(shown)
        .collect();
    let url = format!("/v1/customers/{customer}/payment_methods");
    Ok(json!({ "object": "list", "data": data, "has_more": false, "url": url }))
}
