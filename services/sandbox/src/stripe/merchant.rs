//! What the merchant did before Tinko came in, played through the control API.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::call::Call;
use super::charging::{self, Presence};
use super::customers;
use super::declines::{Decline, Outcome, Script};
use super::errors::StripeError;
use super::form::Params;
use super::payment_intents::PaymentIntent;
use super::payment_methods::{self, Plan};

/// A payment that the merchant tried and that was declined.
#[derive(Debug, Deserialize)]
pub(crate) struct FailedPayment {
    /// Minor units.
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) decline_code: String,
    #[serde(default)]
    pub(crate) advice_code: Option<String>,
    #[serde(default)]
    pub(crate) network_decline_code: Option<String>,
    #[serde(default)]
    pub(crate) network_advice_code: Option<String>,
    #[serde(default)]
    pub(crate) customer_email: Option<String>,
    #[serde(default)]
    pub(crate) customer_phone: Option<String>,
    #[serde(default)]
    pub(crate) customer_name: Option<String>,
    #[serde(default)]
    pub(crate) metadata: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) description: Option<String>,
    /// A payment method that exists; without one a new card is made.
    #[serde(default)]
    pub(crate) payment_method: Option<String>,
    /// What later charges on the card end in; without it the same decline repeats.
    #[serde(default)]
    pub(crate) outcomes_after: Vec<Outcome>,
    #[serde(default)]
    pub(crate) brand: Option<String>,
    #[serde(default)]
    pub(crate) country: Option<String>,
    /// Of the new card: two payments by one card have one fingerprint.
    #[serde(default)]
    pub(crate) fingerprint: Option<String>,
}

impl FailedPayment {
    pub(super) fn decline(&self) -> Decline {
        let usual = Decline::of(&self.decline_code);
        Decline {
            advice_code: self.advice_code.clone().or(usual.advice_code),
            network_decline_code: self
                .network_decline_code
                .clone()
                .or(usual.network_decline_code),
            network_advice_code: self.network_advice_code.clone(),
            ..Decline::of(&self.decline_code)
        }
    }

    pub(super) fn customer_params(&self) -> Params {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        let fields = [
            ("email", &self.customer_email),
            ("phone", &self.customer_phone),
            ("name", &self.customer_name),
        ];
        for (name, value) in fields {
            if let Some(value) = value {
                form.append_pair(name, value);
            }
        }
        Params::parse(form.finish().as_bytes())
    }
}

/// Plays the merchant's failed charge; of its events only those of the failure are kept.
pub(crate) fn fail_payment(
    call: &mut Call<'_>,
    payment: &FailedPayment,
) -> Result<Value, StripeError> {
    let form = format!("amount={}&currency={}", payment.amount, payment.currency);
    let checked = Params::parse(form.as_bytes());
    let (amount, currency) = (checked.amount("amount")?, checked.currency("currency")?);
    let customer = customers::create(call, &payment.customer_params())?;
    let customer = customer["id"].as_str().unwrap_or_default().to_owned();
    let method = card_of(call, payment, &customer)?;

    let mut intent = PaymentIntent::new(call, amount, currency);
    intent.customer = Some(customer.clone());
    intent.metadata.clone_from(&payment.metadata);
    intent.description.clone_from(&payment.description);
    intent.receipt_email.clone_from(&payment.customer_email);
    let id = intent.id.clone();
    call.account.payment_intents.put(&id, intent);

    call.effects.events.clear();
    let declined = charging::refuse(call, &id, &method, payment.decline());
    let charge = match declined {
        Err(StripeError::Card { charge, .. }) => charge,
        Err(other) => return Err(other),
        Ok(()) => return Err(StripeError::Api(500)),
    };
    let failed = call
        .effects
        .events
        .iter()
        .find(|event| event.kind == "payment_intent.payment_failed");
    Ok(json!({
        "payment_intent": id,
        "customer": customer,
        "payment_method": method,
        "charge": charge,
        "event_id": failed.map(|event| event.id.clone()),
    }))
}

pub(super) fn card_of(
    call: &mut Call<'_>,
    payment: &FailedPayment,
    customer: &str,
) -> Result<String, StripeError> {
    let later = if payment.outcomes_after.is_empty() {
        vec![Outcome::of(&payment.decline_code)]
    } else {
        payment.outcomes_after.clone()
    };
    let id = if let Some(id) = &payment.payment_method {
        let id = payment_methods::resolve(call, id)?;
        if !payment.outcomes_after.is_empty() {
            call.account.payment_method(&id)?.script = Script::new(later);
        }
        id
    } else {
        let mut plan = Plan::new(payment.brand.as_deref().unwrap_or("visa"), "4242", "ok");
        if let Some(country) = &payment.country {
            plan.country.clone_from(country);
        }
        plan.fingerprint.clone_from(&payment.fingerprint);
        plan.outcomes = later;
        payment_methods::make(call, None, plan)
    };
    payment_methods::attach_to(call, &id, customer)
}

/// The payer pays the merchant directly, by another card: Tinko hears of it by webhook only.
pub(crate) fn pay_elsewhere(call: &mut Call<'_>, intent_id: &str) -> Result<Value, StripeError> {
    let intent = call.account.intent(intent_id)?;
    if matches!(intent.status, super::payment_intents::Status::Succeeded) {
        let message = "This PaymentIntent has already succeeded.".to_owned();
        return Err(StripeError::state(message, super::account::shown(intent)));
    }
    let method = payment_methods::make(call, None, Plan::new("visa", "4242", "ok"));
    charging::attempt(call, intent_id, &method, Presence::OnSession)?;
    super::payment_intents::retrieve(call, intent_id)
}
