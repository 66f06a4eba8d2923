//! A merchant's invoices and Stripe's own retries of them, played through the control API.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::account::shown;
use super::call::Call;
use super::charging::{self, Presence};
use super::errors::StripeError;
use super::form::Params;
use super::merchant::FailedPayment;
use super::{customers, invoices};

/// Until Stripe's own next try.
const NEXT_TRY: TimeDelta = TimeDelta::days(3);

/// Plays a subscription's invoice whose first automatic charge was declined; of its events only
/// those of the failure are kept.
pub(crate) fn fail_invoice(
    call: &mut Call<'_>,
    payment: &FailedPayment,
) -> Result<Value, StripeError> {
    let customer = customers::create(call, &payment.customer_params())?;
    let customer = customer["id"].as_str().unwrap_or_default().to_owned();
    let method = super::merchant::card_of(call, payment, &customer)?;
    let form = |fields: &[(&str, &str)]| {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        Params::parse(form.finish().as_bytes())
    };
    let mut fields = vec![
        ("customer", customer.as_str()),
        ("currency", payment.currency.as_str()),
        ("default_payment_method", method.as_str()),
        ("auto_advance", "true"),
    ];
    let metadata: Vec<(String, &String)> = payment
        .metadata
        .iter()
        .map(|(key, value)| (format!("metadata[{key}]"), value))
        .collect();
    fields.extend(
        metadata
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str())),
    );
    let invoice = invoices::create(call, &form(&fields))?;
    let invoice = invoice["id"].as_str().unwrap_or_default().to_owned();
    let amount = payment.amount.to_string();
    invoices::add_item(call, &form(&[("invoice", &invoice), ("amount", &amount)]))?;
    invoices::finalize(call, &invoice, &Params::default())?;
    call.effects.events.clear();

    let intent = call
        .account
        .invoice(&invoice)?
        .intent
        .clone()
        .unwrap_or_default();
    let charge = match charging::refuse(call, &intent, &method, payment.decline()) {
        Err(StripeError::Card { charge, .. }) => charge,
        Err(other) => return Err(other),
        Ok(()) => return Err(StripeError::Api(500)),
    };
    tried(call, &invoice)?;
    let event = call.effects.events.last().map(|event| event.id.clone());
    Ok(json!({
        "invoice": invoice,
        "payment_intent": intent,
        "customer": customer,
        "payment_method": method,
        "charge": charge,
        "event_id": event,
    }))
}

/// Stripe tries the invoice once more by itself.
pub(crate) fn retry(call: &mut Call<'_>, invoice: &str) -> Result<Value, StripeError> {
    let stored = call.account.invoice(invoice)?;
    let (intent, method) = (stored.intent.clone(), stored.default_payment_method.clone());
    let Some((intent, method)) = intent.zip(method) else {
        return Err(StripeError::missing_parameter("default_payment_method"));
    };
    match charging::attempt(call, &intent, &method, Presence::OffSession) {
        Ok(()) => call.account.invoice(invoice)?.attempt_count += 1,
        Err(StripeError::Card { .. }) => tried(call, invoice)?,
        Err(other) => return Err(other),
    }
    invoices::retrieve(call, invoice, &Params::default())
}

/// An automatic try failed: it is counted, and the next one set.
fn tried(call: &mut Call<'_>, invoice: &str) -> Result<(), StripeError> {
    let next = (call.now + NEXT_TRY).timestamp();
    let invoice = call.account.invoice(invoice)?;
    invoice.attempted = true;
    invoice.attempt_count += 1;
    invoice.next_payment_attempt = Some(next);
    let failed = shown(invoice);
    call.emit("invoice.payment_failed", &failed);
    Ok(())
}

/// Sets when Stripe tries next.
pub(crate) fn try_next_at(
    call: &mut Call<'_>,
    invoice: &str,
    seconds_from_now: i64,
) -> Result<Value, StripeError> {
    let next = call.now.timestamp().saturating_add(seconds_from_now);
    call.account.invoice(invoice)?.next_payment_attempt = Some(next);
    invoices::retrieve(call, invoice, &Params::default())
}
