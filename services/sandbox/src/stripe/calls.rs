//! Which call is which, in one table.

use actix_web::http::Method;
use serde_json::Value;

use super::call::Call;
use super::errors::StripeError;
use super::form::Params;
use super::invoices::InvoiceStatus;
use super::{afterwards, charges, checkout, customers, invoices, payment_intents, payment_methods};

/// Carries out the call on `path` (the segments after `/v1/`).
pub(crate) fn route(
    call: &mut Call<'_>,
    method: &Method,
    path: &[&str],
    params: &Params,
) -> Result<Value, StripeError> {
    let mut answer = match method.as_str() {
        "POST" => post(call, path, params),
        "GET" => get(call, path, params),
        _ => Err(unknown(method, path)),
    }?;
    for wanted in params.list("expand") {
        call.account.expand(&mut answer, &wanted);
    }
    Ok(answer)
}

fn unknown(method: &Method, path: &[&str]) -> StripeError {
    StripeError::NoSuchRoute(format!("{method}: /v1/{}", path.join("/")))
}

fn post(call: &mut Call<'_>, path: &[&str], params: &Params) -> Result<Value, StripeError> {
    match path {
        ["payment_intents"] => payment_intents::create(call, params),
        ["payment_intents", id] => payment_intents::update(call, id, params),
        ["payment_intents", id, "confirm"] => payment_intents::confirm(call, id, params),
        ["payment_intents", id, "cancel"] => payment_intents::cancel(call, id, params),
        ["customers"] => customers::create(call, params),
        ["payment_methods", id, "attach"] => payment_methods::attach(call, id, params),
        ["checkout", "sessions"] => checkout::create(call, params),
        ["checkout", "sessions", id, "expire"] => checkout::expire(call, id),
        ["invoices"] => invoices::create(call, params),
        ["invoiceitems"] => invoices::add_item(call, params),
        ["invoices", id, "finalize"] => invoices::finalize(call, id, params),
        ["invoices", id, "pay"] => invoices::pay(call, id, params),
        ["invoices", id, "void"] => invoices::give_up(call, id, InvoiceStatus::Void),
        ["invoices", id, "mark_uncollectible"] => {
            invoices::give_up(call, id, InvoiceStatus::Uncollectible)
        }
        ["refunds"] => afterwards::refund(call, params),
        _ => Err(unknown(&Method::POST, path)),
    }
}

fn get(call: &mut Call<'_>, path: &[&str], params: &Params) -> Result<Value, StripeError> {
    match path {
        ["payment_intents"] => payment_intents::list(call, params),
        ["payment_intents", id] => payment_intents::retrieve(call, id),
        ["customers", id] => customers::retrieve(call, id),
        ["customers", id, "payment_methods"] => payment_methods::list(call, id),
        ["payment_methods", id] => payment_methods::retrieve(call, id),
        ["charges"] => charges::list(call, params),
        ["charges", id] => charges::retrieve(call, id),
        ["checkout", "sessions"] => checkout::list(call, params),
        ["checkout", "sessions", id] => checkout::retrieve(call, id),
        ["invoices"] => invoices::list(call, params),
        ["invoices", id] => invoices::retrieve(call, id, params),
        _ => Err(unknown(&Method::GET, path)),
    }
}
