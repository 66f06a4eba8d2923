//! Razorpay accounts, endpoints, and what merchants and payers do.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{all_events, refused, yes};
use crate::clock;
use crate::ledger::Initiator;
use crate::razorpay::call::Call;
use crate::razorpay::errors::RazorpayError;
use crate::razorpay::merchant::{self, FailedPayment};
use crate::state::{State, locked};
use crate::webhooks::Provider;
use crate::webhooks::endpoints::Endpoint;

#[derive(Deserialize)]
pub(super) struct OpenAccount {
    key_id: String,
    key_secret: String,
    account_id: Option<String>,
}

pub(super) async fn open_account(
    asked: web::Json<OpenAccount>,
    state: web::Data<State>,
) -> HttpResponse {
    let asked = asked.into_inner();
    let mut razorpay = locked(&state.razorpay);
    let account = razorpay.open(&asked.key_id, Some(asked.key_secret), || {
        asked
            .account_id
            .unwrap_or_else(|| state.ids.razorpay("acc_"))
    });
    HttpResponse::Ok().json(json!({ "account_id": account.id, "key_id": asked.key_id }))
}

#[derive(Deserialize)]
pub(super) struct RegisterWebhook {
    key_id: String,
    url: String,
    secret: String,
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
    if url::Url::parse(&asked.url).is_err() {
        return refused(400, "an endpoint needs a url");
    }
    let account = {
        let mut razorpay = locked(&state.razorpay);
        razorpay
            .open(&asked.key_id, None, || state.ids.razorpay("acc_"))
            .id
            .clone()
    };
    let endpoint = state.webhooks.register(Endpoint {
        provider: Provider::Razorpay,
        account,
        url: asked.url,
        secrets: vec![asked.secret],
        enabled: asked.enabled,
        connect_account: false,
        events: asked.events,
    });
    HttpResponse::Ok().json(endpoint)
}

#[derive(Deserialize)]
pub(super) struct FailPayment {
    key_id: String,
    #[serde(flatten)]
    payment: FailedPayment,
}

pub(super) async fn fail_payment(
    asked: web::Json<FailPayment>,
    state: web::Data<State>,
) -> HttpResponse {
    let FailPayment { key_id, payment } = asked.into_inner();
    on_account(&state, &key_id, |call| {
        merchant::fail_payment(call, payment)
    })
}

#[derive(Deserialize)]
pub(super) struct PayElsewhere {
    key_id: String,
    order_id: String,
}

pub(super) async fn pay_elsewhere(
    asked: web::Json<PayElsewhere>,
    state: web::Data<State>,
) -> HttpResponse {
    on_account(&state, &asked.key_id, |call| {
        merchant::pay_elsewhere(call, &asked.order_id)
    })
}

/// Plays a part on the key's account and writes down what follows.
pub(super) fn on_account(
    state: &State,
    key_id: &str,
    act: impl FnOnce(&mut Call<'_>) -> Result<Value, RazorpayError>,
) -> HttpResponse {
    let mut razorpay = locked(&state.razorpay);
    let account = razorpay.open(key_id, None, || state.ids.razorpay("acc_"));
    let mut call = Call::new(state, account, clock::now(), Initiator::Merchant);
    let result = act(&mut call);
    call.effects.write(state);
    match result {
        Ok(answer) => HttpResponse::Ok().json(answer),
        Err(error) => refused(400, &error.to_string()),
    }
}
