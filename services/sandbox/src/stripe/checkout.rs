//! Checkout sessions: the API. The page is in [`super::checkout_page`].
//!
//! A session is `open` until it is paid (`complete`), expired by the API, or past its `expires_at`.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_json::{Value, json};

use super::account::{Account, shown};
use super::call::Call;
use super::errors::StripeError;
use super::form::Params;
use super::payment_intents::listing;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SessionStatus {
    Open,
    Complete,
    Expired,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PaymentStatus {
    Unpaid,
    Paid,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) object: &'static str,
    pub(crate) amount_subtotal: i64,
    pub(crate) amount_total: i64,
    pub(crate) cancel_url: Option<String>,
    pub(crate) client_reference_id: Option<String>,
    pub(crate) created: i64,
    pub(crate) currency: String,
    pub(crate) customer: Option<String>,
    pub(crate) customer_details: Option<Value>,
    pub(crate) customer_email: Option<String>,
    pub(crate) expires_at: i64,
    pub(crate) livemode: bool,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) mode: &'static str,
    /// Null until the payer first tries to pay, as in Stripe's newer API versions.
    pub(crate) payment_intent: Option<String>,
    pub(crate) payment_method_types: [&'static str; 1],
    pub(crate) payment_status: PaymentStatus,
    pub(crate) status: SessionStatus,
    pub(crate) success_url: String,
    /// Null once the session is not open any more.
    pub(crate) url: Option<String>,
    #[serde(skip)]
    pub(crate) what: String,
    #[serde(skip)]
    pub(crate) intent_metadata: BTreeMap<String, String>,
    #[serde(skip)]
    pub(crate) intent_description: Option<String>,
}

/// What a session may be made with; what is not read here changes nothing.
const KNOWN: [&str; 18] = [
    "mode",
    "line_items",
    "success_url",
    "cancel_url",
    "client_reference_id",
    "metadata",
    "payment_intent_data",
    "expires_at",
    "customer_email",
    "customer",
    "customer_creation",
    "payment_method_types",
    "locale",
    "submit_type",
    "billing_address_collection",
    "phone_number_collection",
    "payment_method_options",
    "invoice_creation",
];

pub(crate) fn create(call: &mut Call<'_>, params: &Params) -> Result<Value, StripeError> {
    params.only(&KNOWN)?;
    if params.required("mode")? != "payment" {
        let message = "Only the mode `payment` is played here.".to_owned();
        return Err(StripeError::parameter(
            "parameter_invalid_string",
            message,
            "mode",
        ));
    }
    let items = line_items(params)?;
    if let Some(customer) = params.text("customer") {
        call.account.customer(customer)?;
    }
    let id = call.ids.next("cs_test_", 58);
    let session = Session {
        url: Some(format!("{}/stripe/checkout/{id}", call.public_url)),
        id: id.clone(),
        object: "checkout.session",
        amount_subtotal: items.total,
        amount_total: items.total,
        cancel_url: params.owned("cancel_url"),
        client_reference_id: params.owned("client_reference_id"),
        created: call.now.timestamp(),
        currency: items.currency,
        customer: params.owned("customer"),
        customer_details: None,
        customer_email: params.owned("customer_email"),
        expires_at: expiry(params, call.now)?,
        livemode: false,
        metadata: params.map("metadata"),
        mode: "payment",
        payment_intent: None,
        payment_method_types: ["card"],
        payment_status: PaymentStatus::Unpaid,
        status: SessionStatus::Open,
        success_url: params.required("success_url")?.to_owned(),
        what: items.what,
        intent_metadata: params.map("payment_intent_data[metadata]"),
        intent_description: params.owned("payment_intent_data[description]"),
    };
    let answer = shown(&session);
    call.account.sessions.put(&id, session);
    Ok(answer)
}

struct LineItems {
    total: i64,
    currency: String,
    what: String,
}

fn line_items(params: &Params) -> Result<LineItems, StripeError> {
    let mut total: i64 = 0;
    let mut currency: Option<String> = None;
    let mut names = Vec::new();
    for place in 0.. {
        let item = format!("line_items[{place}]");
        if !params.has_under(&item) {
            break;
        }
        let amount = params.amount(&format!("{item}[price_data][unit_amount]"))?;
        let quantity = params.integer(&format!("{item}[quantity]"))?.unwrap_or(1);
        let name = format!("{item}[price_data][currency]");
        let its_currency = params.currency(&name)?;
        if currency.get_or_insert_with(|| its_currency.clone()) != &its_currency {
            let message = "All line items must have the same currency.".to_owned();
            return Err(StripeError::parameter(
                "parameter_invalid_string",
                message,
                &name,
            ));
        }
        let sum = amount
            .checked_mul(quantity)
            .and_then(|sum| total.checked_add(sum));
        total = sum
            .filter(|sum| (1..=99_999_999).contains(sum))
            .ok_or_else(|| {
                let message = "The total must be between 1 and 99999999 minor units.".to_owned();
                StripeError::parameter("amount_too_large", message, &item)
            })?;
        names.push(
            params
                .required(&format!("{item}[price_data][product_data][name]"))?
                .to_owned(),
        );
    }
    let currency = currency.ok_or_else(|| StripeError::missing_parameter("line_items"))?;
    Ok(LineItems {
        total,
        currency,
        what: names.join(", "),
    })
}

/// Stripe takes 30 minutes to 24 hours from now, and 24 hours if nothing is said.
fn expiry(params: &Params, now: DateTime<Utc>) -> Result<i64, StripeError> {
    let earliest = (now + TimeDelta::minutes(30)).timestamp();
    let latest = (now + TimeDelta::hours(24)).timestamp();
    match params.integer("expires_at")? {
        None => Ok(latest),
        Some(at) if (earliest..=latest).contains(&at) => Ok(at),
        Some(_) => {
            let message = "The `expires_at` timestamp must be at least 30 minutes and at most 24 hours from Checkout Session creation.";
            Err(StripeError::parameter(
                "parameter_invalid_integer",
                message.to_owned(),
                "expires_at",
            ))
        }
    }
}

pub(crate) fn retrieve(call: &mut Call<'_>, id: &str) -> Result<Value, StripeError> {
    call.account.session(id).map(|session| shown(session))
}

pub(crate) fn list(call: &Call<'_>, params: &Params) -> Result<Value, StripeError> {
    params.only(&[
        "payment_intent",
        "customer",
        "limit",
        "starting_after",
        "ending_before",
    ])?;
    let intent = params.text("payment_intent");
    let sessions = call.account.sessions.newest_first();
    let wanted = sessions
        .filter(|session| intent.is_none_or(|it| session.payment_intent.as_deref() == Some(it)))
        .map(|session| (session.id.as_str(), session));
    listing(wanted, "/v1/checkout/sessions", params)
}

pub(crate) fn expire(call: &mut Call<'_>, id: &str) -> Result<Value, StripeError> {
    let session = call.account.session(id)?;
    if session.status != SessionStatus::Open {
        let message = format!(
            "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of {}.",
            shown(&session.status).as_str().unwrap_or_default()
        );
        return Err(StripeError::UnexpectedState {
            code: "checkout_session_unexpected_state",
            message,
            payment_intent: None,
        });
    }
    close(call, id)
}

fn close(call: &mut Call<'_>, id: &str) -> Result<Value, StripeError> {
    let session = call.account.session(id)?;
    session.status = SessionStatus::Expired;
    session.url = None;
    let answer = shown(session);
    call.emit("checkout.session.expired", &answer);
    Ok(answer)
}

/// The open sessions whose time is over at `now`.
pub(crate) fn overdue(account: &Account, now: DateTime<Utc>) -> Vec<String> {
    let sessions = account.sessions.oldest_first();
    let overdue = sessions.filter(|session| {
        session.status == SessionStatus::Open && session.expires_at <= now.timestamp()
    });
    overdue.map(|session| session.id.clone()).collect()
}

/// Expires what is overdue at the call's time.
pub(crate) fn expire_overdue(call: &mut Call<'_>) {
    for id in overdue(call.account, call.now) {
        // Just found there, so that it cannot be missing.
        let _ = close(call, &id);
    }
}

/// Marks the session as paid by its payment intent.
pub(crate) fn complete(
    call: &mut Call<'_>,
    id: &str,
    email: Option<String>,
) -> Result<(), StripeError> {
    let session = call.account.session(id)?;
    session.status = SessionStatus::Complete;
    session.payment_status = PaymentStatus::Paid;
    session.url = None;
    let email = email.or_else(|| session.customer_email.clone());
    session.customer_details = Some(json!({
        "address": null, "email": email, "name": null, "phone": null, "tax_exempt": "none",
    }));
    let answer = shown(session);
    call.emit("checkout.session.completed", &answer);
    Ok(())
}
