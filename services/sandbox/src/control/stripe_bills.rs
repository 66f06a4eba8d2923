//! Stripe's invoices and its own retries of them, refunds, disputes, cancelled payments.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::stripe::on_account;
use crate::state::State;
use crate::stripe::form::Params;
use crate::stripe::merchant::FailedPayment;
use crate::stripe::{afterwards, dunning, payment_intents};

#[derive(Deserialize)]
pub(super) struct FailInvoice {
    key: String,
    #[serde(flatten)]
    payment: FailedPayment,
}

pub(super) async fn fail_invoice(
    asked: web::Json<FailInvoice>,
    state: web::Data<State>,
) -> HttpResponse {
    on_account(&state, &asked.key, |call| {
        dunning::fail_invoice(call, &asked.payment)
    })
}

#[derive(Deserialize)]
pub(super) struct NameInvoice {
    key: String,
    invoice: String,
}

pub(super) async fn retry_invoice(
    asked: web::Json<NameInvoice>,
    state: web::Data<State>,
) -> HttpResponse {
    on_account(&state, &asked.key, |call| {
        dunning::retry(call, &asked.invoice)
    })
}

#[derive(Deserialize)]
pub(super) struct TryNext {
    key: String,
    invoice: String,
    in_seconds: i64,
}

pub(super) async fn try_next_at(
    asked: web::Json<TryNext>,
    state: web::Data<State>,
) -> HttpResponse {
    on_account(&state, &asked.key, |call| {
        dunning::try_next_at(call, &asked.invoice, asked.in_seconds)
    })
}

#[derive(Deserialize)]
pub(super) struct Refund {
    key: String,
    payment_intent: String,
    amount: Option<i64>,
}

pub(super) async fn refund(asked: web::Json<Refund>, state: web::Data<State>) -> HttpResponse {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("payment_intent", &asked.payment_intent);
    if let Some(amount) = asked.amount {
        form.append_pair("amount", &amount.to_string());
    }
    let params = Params::parse(form.finish().as_bytes());
    on_account(&state, &asked.key, |call| afterwards::refund(call, &params))
}

fn fraudulent() -> String {
    "fraudulent".to_owned()
}

#[derive(Deserialize)]
pub(super) struct Dispute {
    key: String,
    payment_intent: String,
    #[serde(default = "fraudulent")]
    reason: String,
}

pub(super) async fn dispute(asked: web::Json<Dispute>, state: web::Data<State>) -> HttpResponse {
    on_account(&state, &asked.key, |call| {
        afterwards::dispute(call, &asked.payment_intent, &asked.reason)
    })
}

#[derive(Deserialize)]
pub(super) struct Cancel {
    key: String,
    payment_intent: String,
}

pub(super) async fn cancel(asked: web::Json<Cancel>, state: web::Data<State>) -> HttpResponse {
    on_account(&state, &asked.key, |call| {
        payment_intents::cancel(call, &asked.payment_intent, &Params::default())
    })
}
