//! The HTTP side of Razorpay's API.

use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::call::Call;
use super::errors::RazorpayError;
use super::{afterwards, orders, payment_links, payments};
use crate::faults::Target;
use crate::faults::http::perform;
use crate::ledger::Initiator;
use crate::state::{State, locked};
use crate::{clock, credentials};

/// A call read off the wire.
struct Request {
    credentials: Option<(String, String)>,
    method: Method,
    path: String,
    query: String,
    body: web::Bytes,
}

pub(crate) async fn handle(
    request: HttpRequest,
    body: web::Bytes,
    state: web::Data<State>,
) -> HttpResponse {
    let call = Request {
        credentials: credentials::basic(&request),
        method: request.method().clone(),
        path: request
            .match_info()
            .query("path")
            .trim_matches('/')
            .to_owned(),
        query: request.query_string().to_owned(),
        body,
    };
    let refuse = |status| answer(Err(RazorpayError::of_status(status)));
    let acting_on = state.clone();
    perform(
        &state,
        Target::Razorpay,
        &request,
        refuse,
        |slowed_by: Duration| async move {
            tokio::time::sleep(slowed_by).await;
            answer(act(&acting_on, &call))
        },
    )
    .await
}

/// How much of a payment; all of it, if it is not said.
#[derive(serde::Deserialize)]
struct Amount {
    amount: Option<i64>,
}

/// Acts and writes what follows, under one lock.
fn act(state: &State, request: &Request) -> Result<Value, RazorpayError> {
    let (key_id, key_secret) = request
        .credentials
        .as_ref()
        .ok_or(RazorpayError::Unauthorized)?;
    let mut razorpay = locked(&state.razorpay);
    let account = razorpay
        .by_key(key_id, key_secret)
        .ok_or(RazorpayError::Unauthorized)?;
    let mut call = Call::new(state, account, clock::now(), Initiator::Api);
    payment_links::expire_overdue(&mut call);
    let result = route(&mut call, request);
    call.effects.write(state);
    if let Ok(object) = &result
        && let Some(id) = object["id"].as_str().filter(|id| id.starts_with("plink_"))
    {
        razorpay.note_link(id, key_id);
    }
    result
}

fn route(call: &mut Call<'_>, request: &Request) -> Result<Value, RazorpayError> {
    let path: Vec<&str> = request.path.split('/').collect();
    match (request.method.as_str(), path.as_slice()) {
        ("POST", ["orders"]) => orders::create(call, &request.body),
        ("GET", ["orders", id]) => orders::fetch(call, id),
        ("GET", ["orders", id, "payments"]) => orders::payments(call, id),
        ("GET", ["payments", id]) => payments::fetch(call, id),
        ("POST", ["payments", id, "capture"]) => afterwards::capture(call, id),
        ("POST", ["payments", id, "refund"]) => {
            let asked: Amount = parse(&request.body)?;
            afterwards::refund(call, id, asked.amount)
        }
        ("POST", ["payment_links"]) => payment_links::create(call, &request.body),
        ("GET", ["payment_links"]) => Ok(payment_links::list(call, &request.query)),
        ("GET", ["payment_links", id]) => payment_links::fetch(call, id),
        ("POST", ["payment_links", id, "cancel"]) => payment_links::cancel(call, id),
        _ => Err(RazorpayError::NoSuchRoute),
    }
}

pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, RazorpayError> {
    serde_json::from_slice(body).map_err(|error| RazorpayError::BadRequest {
        description: format!("The request body is invalid: {error}"),
        field: None,
    })
}

fn answer(result: Result<Value, RazorpayError>) -> HttpResponse {
    let (status, body) = match result {
        Ok(body) => (200, body),
        Err(error) => (error.status(), error.body()),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    HttpResponse::build(status).json(body)
}
