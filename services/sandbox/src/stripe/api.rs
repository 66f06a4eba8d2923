//! The HTTP side of Stripe's API: credentials, idempotency keys, headers.

use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Value;

use super::call::Call;
use super::calls;
use super::errors::StripeError;
use super::form::Params;
use super::idempotency::{Fingerprint, Stored};
use crate::clock;
use crate::credentials;
use crate::faults::Target;
use crate::faults::http::perform;
use crate::ledger::Initiator;
use crate::state::{State, locked};

/// A call read off the wire.
struct Request {
    id: String,
    /// The secret key whose account it acts on, or why there is none.
    key: Result<String, StripeError>,
    method: Method,
    path: String,
    params: Params,
    idempotency_key: Option<String>,
}

pub(crate) async fn handle(
    request: HttpRequest,
    body: web::Bytes,
    state: web::Data<State>,
) -> HttpResponse {
    let call = read(&request, &body, &state);
    let request_id = call.id.clone();
    let refuse = |status| answer(&Err(StripeError::of_status(status)), &request_id);
    let acting_on = state.clone();
    perform(
        &state,
        Target::Stripe,
        &request,
        refuse,
        |slowed_by| async move { carry_out(&acting_on, &call, slowed_by).await },
    )
    .await
}

fn read(request: &HttpRequest, body: &[u8], state: &State) -> Request {
    let header = |name| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let basic = credentials::basic(request).map(|(key, _)| key);
    let key = basic
        .or_else(|| credentials::bearer(request))
        .unwrap_or_default();
    let query = request.query_string().as_bytes();
    Request {
        id: state.ids.next("req_", 14),
        key: authorize(state, key, header("stripe-account")),
        method: request.method().clone(),
        path: request
            .match_info()
            .query("path")
            .trim_matches('/')
            .to_owned(),
        params: Params::parse(if body.is_empty() { query } else { body }),
        idempotency_key: header("idempotency-key").map(str::to_owned),
    }
}

async fn carry_out(state: &State, request: &Request, slowed_by: Duration) -> HttpResponse {
    let key = match &request.key {
        Ok(key) => key,
        Err(error) => return answer(&Err(error.clone()), &request.id),
    };
    let idempotency_key = request
        .idempotency_key
        .as_deref()
        .filter(|_| request.method == Method::POST);
    let Some(idempotency_key) = idempotency_key else {
        tokio::time::sleep(slowed_by).await;
        return answer(&act(state, key, request), &request.id);
    };
    match claim(state, key, idempotency_key, request) {
        Err(error) => return answer(&Err(error), &request.id),
        Ok(Some(stored)) => return replay(&stored, &request.id),
        Ok(None) => {}
    }
    let path = format!("/stripe/v1/{}", request.path);
    if let Some(status) = state.faults.take_under_key(Target::Stripe, &path) {
        let failed = Err(StripeError::Begun(status));
        settle(state, key, idempotency_key, request, &failed);
        return answer(&failed, &request.id);
    }
    tokio::time::sleep(slowed_by).await;
    let result = act(state, key, request);
    settle(state, key, idempotency_key, request, &result);
    answer(&result, &request.id)
}

/// The key whose account is meant: the given one, or that of the connected account named beside it.
fn authorize(state: &State, key: String, connected: Option<&str>) -> Result<String, StripeError> {
    if key.is_empty() {
        let message = "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth.";
        return Err(StripeError::Unauthorized(message.to_owned()));
    }
    let mut stripe = locked(&state.stripe);
    if stripe.by_key(&key).is_none() {
        let shown: String = key.chars().take(8).collect();
        return Err(StripeError::Unauthorized(format!(
            "Invalid API Key provided: {shown}****"
        )));
    }
    match connected {
        None => Ok(key),
        Some(account) => stripe
            .key_of(account)
            .ok_or_else(|| StripeError::AccountInvalid(account.to_owned())),
    }
}

fn claim(
    state: &State,
    key: &str,
    idempotency_key: &str,
    request: &Request,
) -> Result<Option<Stored>, StripeError> {
    let fingerprint = Fingerprint {
        path: request.path.clone(),
        params: request.params.clone(),
    };
    let mut stripe = locked(&state.stripe);
    match stripe.by_key(key) {
        Some(account) => account
            .keys
            .claim(idempotency_key, fingerprint, clock::now()),
        None => Ok(None),
    }
}

fn settle(
    state: &State,
    key: &str,
    idempotency_key: &str,
    request: &Request,
    result: &Result<Value, StripeError>,
) {
    let stored = |status, body| Stored {
        status,
        body,
        request_id: request.id.clone(),
    };
    let kept = match result {
        Ok(body) => Some(stored(200, body.clone())),
        Err(error) if error.is_remembered() => {
            Some(stored(error.status(), error.body(&request.id)))
        }
        Err(_) => None,
    };
    if let Some(account) = locked(&state.stripe).by_key(key) {
        account.keys.settle(idempotency_key, kept);
    }
}

/// Acts and writes what follows, under one lock.
fn act(state: &State, key: &str, request: &Request) -> Result<Value, StripeError> {
    let mut stripe = locked(&state.stripe);
    let account = stripe.by_key(key).ok_or(StripeError::Api(500))?;
    let mut call = Call::new(state, account, clock::now(), Initiator::Api);
    call.request_id = Some(request.id.clone());
    call.idempotency_key.clone_from(&request.idempotency_key);
    let path: Vec<&str> = request.path.split('/').collect();
    let result = calls::route(&mut call, &request.method, &path, &request.params);
    call.effects.write(state);
    if let Ok(object) = &result
        && object["object"] == "checkout.session"
        && let Some(id) = object["id"].as_str()
    {
        stripe.note_session(id, key);
    }
    result
}

fn answer(result: &Result<Value, StripeError>, request_id: &str) -> HttpResponse {
    let (status, body) = match result {
        Ok(body) => (200, body.clone()),
        Err(error) => (error.status(), error.body(request_id)),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    response.insert_header(("Request-Id", request_id));
    response.insert_header(("Stripe-Version", super::events::API_VERSION));
    if let Some(should) = result.as_ref().err().and_then(StripeError::should_retry) {
        response.insert_header(("Stripe-Should-Retry", should.to_string()));
    }
    response.json(body)
}

fn replay(stored: &Stored, request_id: &str) -> HttpResponse {
    let status = StatusCode::from_u16(stored.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    HttpResponse::build(status)
        .insert_header(("Request-Id", request_id))
        .insert_header(("Original-Request", stored.request_id.as_str()))
        .insert_header(("Idempotent-Replayed", "true"))
        .json(&stored.body)
}
