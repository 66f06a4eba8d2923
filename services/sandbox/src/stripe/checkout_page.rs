//! The checkout page: a plain form that takes Stripe's documented test card numbers.
//!
//! `POST /stripe/checkout/{id}` wants `card_number` only; `email`, `expiry` and `cvc` may be there.
//! A card that asks for authentication leads to a second form, `POST
//! /stripe/checkout/{id}/authenticate` with `result=complete` or `result=fail`.

use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, web};
use minijinja::context;
use serde::Deserialize;

use super::account::shown;
use super::call::Call;
use super::charging::{self, Presence};
use super::checkout::{self, Session, SessionStatus};
use super::declines::Decline;
use super::errors::StripeError;
use super::payment_intents::{PaymentIntent, Status};
use super::payment_methods::{self, Plan};
use super::test_cards::{TEST_CARDS, plan_of};
use crate::clock;
use crate::ledger::Initiator;
use crate::pages;
use crate::state::{State, locked};

#[derive(Deserialize)]
pub(crate) struct CardForm {
    card_number: String,
    #[serde(default)]
    email: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct AuthenticationForm {
    result: String,
}

/// Where the payer is after a step.
enum Step {
    Paid { success_url: String },
    MustAuthenticate,
    Refused(String),
}

pub(crate) async fn show(id: web::Path<String>, state: web::Data<State>) -> HttpResponse {
    page(&state, &id, None)
}

pub(crate) async fn pay(
    id: web::Path<String>,
    form: web::Form<CardForm>,
    state: web::Data<State>,
) -> HttpResponse {
    let email = form.email.clone().filter(|email| !email.is_empty());
    step(&state, &id, |call| match plan_of(&form.card_number) {
        Some(plan) => charge(call, &id, plan, email),
        None => Ok(Step::Refused(Decline::of("incorrect_number").message)),
    })
}

pub(crate) async fn authenticate(
    id: web::Path<String>,
    form: web::Form<AuthenticationForm>,
    state: web::Data<State>,
) -> HttpResponse {
    step(&state, &id, |call| {
        authenticated(call, &id, form.result == "complete")
    })
}

/// Takes a step on an open session and shows where it led.
fn step(
    state: &State,
    id: &str,
    act: impl FnOnce(&mut Call<'_>) -> Result<Step, StripeError>,
) -> HttpResponse {
    let result = on_session(state, id, |call| {
        checkout::expire_overdue(call);
        if call.account.session(id)?.status != SessionStatus::Open {
            return Ok(None);
        }
        act(call).map(Some)
    });
    match result {
        None => pages::not_found(&state.pages),
        Some(Ok(Some(Step::Paid { success_url }))) => HttpResponse::SeeOther()
            .insert_header((LOCATION, success_url.replace("{CHECKOUT_SESSION_ID}", id)))
            .finish(),
        Some(Ok(Some(Step::MustAuthenticate))) => authentication_page(state, id),
        Some(Ok(Some(Step::Refused(reason)))) => page(state, id, Some(&reason)),
        Some(Ok(None)) => page(state, id, None),
        Some(Err(error)) => page(state, id, Some(&error.to_string())),
    }
}

/// Runs `act` on the session's account and writes down what follows; none without such a session.
fn on_session<T>(state: &State, id: &str, act: impl FnOnce(&mut Call<'_>) -> T) -> Option<T> {
    let mut stripe = locked(&state.stripe);
    let account = stripe.by_session(id)?;
    let mut call = Call::new(state, account, clock::now(), Initiator::Payer);
    let result = act(&mut call);
    call.effects.write(state);
    Some(result)
}

fn charge(
    call: &mut Call<'_>,
    id: &str,
    plan: Plan,
    email: Option<String>,
) -> Result<Step, StripeError> {
    let intent = intent_of(call, id)?;
    let method = payment_methods::make(call, None, plan);
    call.account
        .payment_method(&method)?
        .billing_details
        .email
        .clone_from(&email);
    let result = charging::attempt(call, &intent, &method, Presence::OnSession);
    // Kept for the authentication that may follow.
    if call.account.intent(&intent)?.status == Status::RequiresAction {
        call.account.intent(&intent)?.payment_method = Some(method);
    }
    arrived(call, id, result, email)
}

fn authenticated(call: &mut Call<'_>, id: &str, complete: bool) -> Result<Step, StripeError> {
    let intent = intent_of(call, id)?;
    let waiting = call.account.intent(&intent)?;
    let method = waiting
        .payment_method
        .clone()
        .filter(|_| waiting.status == Status::RequiresAction);
    let Some(method) = method else {
        return Ok(Step::Refused("Enter your card first.".to_owned()));
    };
    let result = if complete {
        charging::succeed(call, &intent, &method)
    } else {
        let mut decline = Decline::of("payment_intent_authentication_failure");
        "payment_intent_authentication_failure".clone_into(&mut decline.code);
        decline.decline_code = None;
        "We are unable to authenticate your payment method. Please choose a different payment method and try again."
            .clone_into(&mut decline.message);
        charging::refuse(call, &intent, &method, decline)
    };
    arrived(call, id, result, None)
}

fn arrived(
    call: &mut Call<'_>,
    id: &str,
    result: Result<(), StripeError>,
    email: Option<String>,
) -> Result<Step, StripeError> {
    match result {
        Err(StripeError::Card { decline, .. }) => return Ok(Step::Refused(decline.message)),
        other => other?,
    }
    let intent = intent_of(call, id)?;
    if call.account.intent(&intent)?.status != Status::Succeeded {
        return Ok(Step::MustAuthenticate);
    }
    checkout::complete(call, id, email)?;
    let success_url = call.account.session(id)?.success_url.clone();
    Ok(Step::Paid { success_url })
}

/// The session's payment intent, made when the payer first tries to pay.
fn intent_of(call: &mut Call<'_>, id: &str) -> Result<String, StripeError> {
    let session = call.account.session(id)?.clone();
    if let Some(intent) = session.payment_intent {
        return Ok(intent);
    }
    let mut intent = PaymentIntent::new(call, session.amount_total, session.currency);
    intent.customer = session.customer;
    intent.description = session.intent_description;
    intent.metadata = session.intent_metadata;
    let intent_id = intent.id.clone();
    let answer = shown(&intent);
    call.account.payment_intents.put(&intent_id, intent);
    call.account.session(id)?.payment_intent = Some(intent_id.clone());
    call.emit("payment_intent.created", &answer);
    Ok(intent_id)
}

fn session_at(state: &State, id: &str) -> Option<Session> {
    on_session(state, id, |call| {
        checkout::expire_overdue(call);
        call.account.session(id).ok().cloned()
    })?
}

fn page(state: &State, id: &str, error: Option<&str>) -> HttpResponse {
    let Some(session) = session_at(state, id) else {
        return pages::not_found(&state.pages);
    };
    let amount = pages::money(session.amount_total, &session.currency);
    match session.status {
        SessionStatus::Open => {
            let cards: Vec<_> = TEST_CARDS
                .iter()
                .map(|card| context! { number => card.number, says => card.says })
                .collect();
            let values = context! {
                id, amount, error, cards, what => session.what, cancel_url => session.cancel_url,
                email => session.customer_email,
            };
            let status = if error.is_some() { 402 } else { 200 };
            state.pages.answer(status, "checkout.html", values)
        }
        SessionStatus::Complete => {
            let values = context! { title => "This payment is done", amount };
            state.pages.answer(200, "closed.html", values)
        }
        SessionStatus::Expired => {
            let values = context! { title => "This payment page has expired", amount };
            state.pages.answer(410, "closed.html", values)
        }
    }
}

fn authentication_page(state: &State, id: &str) -> HttpResponse {
    let Some(session) = session_at(state, id) else {
        return pages::not_found(&state.pages);
    };
    let amount = pages::money(session.amount_total, &session.currency);
    state
        .pages
        .answer(200, "authenticate.html", context! { id, amount })
}

/// Expires what is overdue in every account.
pub(crate) fn sweep(state: &State, now: chrono::DateTime<chrono::Utc>) {
    let mut stripe = locked(&state.stripe);
    for account in stripe.all() {
        if checkout::overdue(account, now).is_empty() {
            continue;
        }
        let mut call = Call::new(state, account, now, Initiator::Payer);
        checkout::expire_overdue(&mut call);
        call.effects.write(state);
    }
}
