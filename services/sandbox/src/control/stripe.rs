//! Stripe accounts, endpoints, cards, and what merchants and payers do.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{all_events, refused, yes};
use crate::clock;
use crate::ledger::Initiator;
use crate::state::{State, locked};
use crate::stripe::call::Call;
use crate::stripe::charging;
use crate::stripe::declines::Outcome;
use crate::stripe::errors::StripeError;
use crate::stripe::merchant::{self, FailedPayment};
use crate::stripe::payment_intents;
use crate::stripe::payment_methods::{self, Plan};
use crate::webhooks::Provider;
use crate::webhooks::endpoints::Endpoint;

#[derive(Deserialize)]
pub(super) struct OpenAccount {
    key: String,
    account_id: Option<String>,
}

pub(super) async fn open_account(
    asked: web::Json<OpenAccount>,
    state: web::Data<State>,
) -> HttpResponse {
    let asked = asked.into_inner();
    let mut stripe = locked(&state.stripe);
    let account = stripe.open(&asked.key, || {
        asked
            .account_id
            .unwrap_or_else(|| state.ids.next("acct_", 16))
    });
    HttpResponse::Ok().json(json!({ "account_id": account.id, "key": asked.key }))
}

#[derive(Deserialize)]
pub(super) struct RegisterWebhook {
    key: String,
    url: String,
    secrets: Vec<String>,
    #[serde(default)]
    connect_account: bool,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default = "all_events")]
    events: Vec<String>,
}

pub(super) async fn register_webhook(
    asked: web::Json<RegisterWebhook>,
    state: web::Data<State>,
) -> HttpResponse {
    let asked = asked.into_inner();
    if asked.secrets.is_empty() || url::Url::parse(&asked.url).is_err() {
        return refused(400, "an endpoint needs a url and at least one secret");
    }
    let account = {
        let mut stripe = locked(&state.stripe);
        stripe
            .open(&asked.key, || state.ids.next("acct_", 16))
            .id
            .clone()
    };
    let endpoint = state.webhooks.register(Endpoint {
        provider: Provider::Stripe,
        account,
        url: asked.url,
        secrets: asked.secrets,
        enabled: asked.enabled,
        connect_account: asked.connect_account,
        events: asked.events,
    });
    HttpResponse::Ok().json(endpoint)
}

#[derive(Deserialize)]
pub(super) struct MakePaymentMethod {
    key: String,
    id: Option<String>,
    outcomes: Vec<Outcome>,
    brand: Option<String>,
    country: Option<String>,
    fingerprint: Option<String>,
    last4: Option<String>,
    customer: Option<String>,
}

pub(super) async fn make_payment_method(
    asked: web::Json<MakePaymentMethod>,
    state: web::Data<State>,
) -> HttpResponse {
    let asked = asked.into_inner();
    if asked.outcomes.is_empty() {
        return refused(400, "`outcomes` must name at least one outcome");
    }
    on_account(&state, &asked.key.clone(), |call| {
        let plan = Plan {
            brand: asked.brand.unwrap_or_else(|| "visa".to_owned()),
            last4: asked.last4.unwrap_or_else(|| "4242".to_owned()),
            country: asked.country.unwrap_or_else(|| "US".to_owned()),
            fingerprint: asked.fingerprint,
            outcomes: asked.outcomes,
        };
        let id = payment_methods::make(call, asked.id, plan);
        if let Some(customer) = asked.customer {
            payment_methods::attach_to(call, &id, &customer)?;
        }
        Ok(json!({ "id": id }))
    })
}

#[derive(Deserialize)]
pub(super) struct FailPayment {
    key: String,
    #[serde(flatten)]
    payment: FailedPayment,
}

pub(super) async fn fail_payment(
    asked: web::Json<FailPayment>,
    state: web::Data<State>,
) -> HttpResponse {
    on_account(&state, &asked.key, |call| {
        merchant::fail_payment(call, &asked.payment)
    })
}

#[derive(Deserialize)]
pub(super) struct NamePayment {
    key: String,
    payment_intent: String,
}

pub(super) async fn pay_elsewhere(
    asked: web::Json<NamePayment>,
    state: web::Data<State>,
) -> HttpResponse {
    on_account(&state, &asked.key, |call| {
        merchant::pay_elsewhere(call, &asked.payment_intent)
    })
}

#[derive(Deserialize)]
pub(super) struct Settle {
    key: String,
    payment_intent: String,
    outcome: Outcome,
}

pub(super) async fn settle(asked: web::Json<Settle>, state: web::Data<State>) -> HttpResponse {
    on_account(&state, &asked.key, |call| {
        charging::settle(call, &asked.payment_intent, &asked.outcome)?;
        payment_intents::retrieve(call, &asked.payment_intent)
    })
}

/// Plays a part on the key's account and writes down what follows.
pub(super) fn on_account(
    state: &State,
    key: &str,
    act: impl FnOnce(&mut Call<'_>) -> Result<Value, StripeError>,
) -> HttpResponse {
    let mut stripe = locked(&state.stripe);
    let account = stripe.open(key, || state.ids.next("acct_", 16));
    let mut call = Call::new(state, account, clock::now(), Initiator::Merchant);
    let result = act(&mut call);
    call.effects.write(state);
    match result {
        Ok(answer) => HttpResponse::Ok().json(answer),
        Err(error) => refused(400, &error.to_string()),
    }
}
