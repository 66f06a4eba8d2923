//! One charge: the payment method's script decides, and everything that follows is written in the
//! same step: the charge, the intent's new state, the events, the ledger.

use serde_json::{Value, json};

use super::account::shown;
use super::call::Call;
use super::charges::{Charge, ChargeStatus};
use super::declines::{Decline, Outcome};
use super::errors::StripeError;
use super::form::Params;
use super::payment_intents::Status;
use crate::ledger::Attempt;

/// Whether the payer is there to authenticate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    OnSession,
    OffSession,
}

impl Presence {
    /// As `off_session` says; Stripe takes that only with a confirmation.
    pub(crate) fn of(params: &Params, confirms: bool) -> Result<Self, StripeError> {
        let name = "off_session";
        match params.text(name) {
            Some("true" | "one_off" | "recurring") if confirms => Ok(Self::OffSession),
            None | Some("false") => Ok(Self::OnSession),
            Some("true" | "one_off" | "recurring") => {
                let message = "You cannot use `off_session` without `confirm` set to `true`.";
                Err(StripeError::parameter(
                    "parameter_invalid_string",
                    message.to_owned(),
                    name,
                ))
            }
            Some(other) => {
                let message = format!("Invalid off_session: {other}");
                Err(StripeError::parameter(
                    "parameter_invalid_string",
                    message,
                    name,
                ))
            }
        }
    }
}

/// Charges `method` for the intent. A decline is an error and leaves the intent open for another
/// payment method.
pub(crate) fn attempt(
    call: &mut Call<'_>,
    intent_id: &str,
    method: &str,
    presence: Presence,
) -> Result<(), StripeError> {
    match call.account.payment_method(method)?.script.next() {
        Outcome::Succeeds => succeed(call, intent_id, method),
        Outcome::StaysProcessing => process(call, intent_id, method),
        Outcome::Declines(decline) => refuse(call, intent_id, method, decline),
        Outcome::NeedsAuthentication => match presence {
            Presence::OnSession => ask_to_authenticate(call, intent_id),
            Presence::OffSession => refuse(
                call,
                intent_id,
                method,
                Decline::of("authentication_required"),
            ),
        },
    }
}

/// Ends the intent in success by a charge on `method`.
pub(crate) fn succeed(
    call: &mut Call<'_>,
    intent_id: &str,
    method: &str,
) -> Result<(), StripeError> {
    let charge = new_charge(call, intent_id, method, ChargeStatus::Succeeded, None)?;
    let intent = call.account.intent(intent_id)?;
    intent.status = Status::Succeeded;
    intent.amount_received = intent.amount;
    intent.latest_charge = Some(charge.id.clone());
    intent.payment_method = Some(method.to_owned());
    intent.last_payment_error = None;
    intent.next_action = None;
    let shown_intent = shown(intent);
    put_charge(call, charge, "ok");
    call.emit("payment_intent.succeeded", &shown_intent);
    pay_bill(call, &shown_intent)
}

/// An invoice is paid with its intent, by whichever way that was.
fn pay_bill(call: &mut Call<'_>, intent: &Value) -> Result<(), StripeError> {
    match intent["payment_details"]["order_reference"].as_str() {
        Some(invoice) => super::invoices::paid(call, invoice),
        None => Ok(()),
    }
}

/// Declines the charge on `method`.
pub(crate) fn refuse(
    call: &mut Call<'_>,
    intent_id: &str,
    method: &str,
    decline: Decline,
) -> Result<(), StripeError> {
    let charge = new_charge(
        call,
        intent_id,
        method,
        ChargeStatus::Failed,
        Some(&decline),
    )?;
    let shown_method = shown(call.account.payment_method(method)?);
    let charge_id = charge.id.clone();
    let intent = call.account.intent(intent_id)?;
    intent.status = Status::RequiresPaymentMethod;
    intent.latest_charge = Some(charge_id.clone());
    intent.payment_method = None;
    intent.next_action = None;
    intent.last_payment_error = Some(decline.error(&charge_id, &shown_method));
    let shown_intent = shown(intent);
    put_charge(call, charge, decline.reason());
    call.emit("payment_intent.payment_failed", &shown_intent);
    Err(StripeError::Card {
        decline: Box::new(decline),
        charge: charge_id,
        payment_intent: Box::new(shown_intent),
        payment_method: Box::new(shown_method),
    })
}

fn process(call: &mut Call<'_>, intent_id: &str, method: &str) -> Result<(), StripeError> {
    let charge = new_charge(call, intent_id, method, ChargeStatus::Pending, None)?;
    let intent = call.account.intent(intent_id)?;
    intent.status = Status::Processing;
    intent.latest_charge = Some(charge.id.clone());
    let shown_intent = shown(intent);
    put_charge(call, charge, "processing");
    call.emit("payment_intent.processing", &shown_intent);
    Ok(())
}

fn ask_to_authenticate(call: &mut Call<'_>, intent_id: &str) -> Result<(), StripeError> {
    let intent = call.account.intent(intent_id)?;
    intent.status = Status::RequiresAction;
    intent.next_action = Some(json!({
        "type": "use_stripe_sdk",
        "use_stripe_sdk": { "type": "three_d_secure_redirect" },
    }));
    let shown_intent = shown(intent);
    call.emit("payment_intent.requires_action", &shown_intent);
    Ok(())
}

/// Settles a charge that stayed `processing`: a decline fails it, anything else pays it.
pub(crate) fn settle(
    call: &mut Call<'_>,
    intent_id: &str,
    outcome: &Outcome,
) -> Result<(), StripeError> {
    let intent = call.account.intent(intent_id)?;
    let pending = intent.latest_charge.clone();
    let Some(charge_id) = pending.filter(|_| intent.status == Status::Processing) else {
        let message = "This PaymentIntent is not processing.".to_owned();
        return Err(StripeError::state(message, shown(intent)));
    };
    let mut charge = call.account.charge(&charge_id)?.clone();
    let method = shown(call.account.payment_method(&charge.payment_method)?);
    let intent = call.account.intent(intent_id)?;
    let (event, reason) = if let Outcome::Declines(decline) = outcome {
        charge.fail(decline);
        intent.status = Status::RequiresPaymentMethod;
        intent.payment_method = None;
        intent.last_payment_error = Some(decline.error(&charge_id, &method));
        ("payment_intent.payment_failed", decline.reason())
    } else {
        charge.pay();
        intent.status = Status::Succeeded;
        intent.amount_received = intent.amount;
        ("payment_intent.succeeded", "ok")
    };
    let shown_intent = shown(intent);
    put_charge(call, charge, reason);
    call.emit(event, &shown_intent);
    if event == "payment_intent.succeeded" {
        pay_bill(call, &shown_intent)?;
    }
    Ok(())
}

fn new_charge(
    call: &mut Call<'_>,
    intent_id: &str,
    method: &str,
    status: ChargeStatus,
    decline: Option<&Decline>,
) -> Result<Charge, StripeError> {
    let id = call.ids.stripe("ch_");
    let created = call.now.timestamp();
    let method = call.account.payment_method(method)?.clone();
    let intent = call.account.intent(intent_id)?;
    Ok(Charge::new(id, created, intent, &method, status, decline))
}

fn put_charge(call: &mut Call<'_>, charge: Charge, outcome: &str) {
    let event = match charge.status {
        ChargeStatus::Succeeded => "charge.succeeded",
        ChargeStatus::Pending => "charge.pending",
        ChargeStatus::Failed => "charge.failed",
    };
    call.effects.attempts.push(Attempt {
        provider: "stripe",
        account: call.account.id.clone(),
        payment: charge.payment_intent.clone().unwrap_or_default(),
        payment_intent: charge.payment_intent.clone(),
        charge: charge.id.clone(),
        amount: charge.amount,
        currency: charge.currency.to_ascii_uppercase(),
        succeeded: charge.status == ChargeStatus::Succeeded,
        outcome: outcome.to_owned(),
        idempotency_key: call.idempotency_key.clone(),
        reference: None,
        metadata: charge.metadata.clone(),
        initiator: call.initiator,
        at: call.now,
    });
    let shown_charge: Value = shown(&charge);
    call.account.charges.put(&charge.id.clone(), charge);
    call.emit(event, &shown_charge);
}
