//! The control API, `/_control/…`: what tests and the demo tell the sandbox. It takes and answers
//! JSON and asks for no credentials.
//!
//! | call | body | what it does |
//! |---|---|---|
//! | `POST stripe/accounts` | `key, account_id?` | opens an account |
//! | `POST stripe/webhooks` | `key, url, secrets, connect_account?, enabled?, events?` | registers an endpoint; the same url again changes it |
//! | `POST stripe/payment_methods` | `key, outcomes, id?, brand?, country?, customer?` | a card whose charges end as told |
//! | `POST stripe/fail_payment` | `key, amount, currency, decline_code, …` | the merchant's declined charge |
//! | `POST stripe/pay_elsewhere` | `key, payment_intent` | the payer pays the merchant directly |
//! | `POST stripe/settle` | `key, payment_intent, outcome` | ends a payment that is `processing` |
//! | `POST stripe/fail_invoice` | as `fail_payment` | a subscription's invoice whose first automatic charge was declined |
//! | `POST stripe/retry_invoice` | `key, invoice` | Stripe's own retry (dunning) |
//! | `POST stripe/try_next_at` | `key, invoice, in_seconds` | when Stripe's own next try is to be |
//! | `POST stripe/refund` | `key, payment_intent, amount?` | money goes back |
//! | `POST stripe/dispute` | `key, payment_intent, reason?` | the payer disputes it |
//! | `POST stripe/cancel` | `key, payment_intent` | the merchant cancels it |
//! | `POST razorpay/accounts` | `key_id, key_secret, account_id?` | opens an account |
//! | `POST razorpay/webhooks` | `key_id, url, secret, enabled?, events?` | registers an endpoint |
//! | `POST razorpay/fail_payment` | `key_id, amount, currency, method, error_reason, …` | the merchant's failed payment |
//! | `POST razorpay/pay_elsewhere` | `key_id, order_id` | the payer pays the order at the merchant's |
//! | `POST razorpay/authorize_late`, `capture` | `key_id, payment` | a failed payment is authorized after all; is captured |
//! | `POST razorpay/refund` | `key_id, payment, amount?` | money goes back; of an uncaptured payment: Razorpay's own refund |
//! | `POST razorpay/dispute` | `key_id, payment, reason?` | the payer disputes it |
//! | `POST twilio/accounts` | `account_sid, auth_token` | from then on the token must be right |
//! | `POST twilio/numbers` | `to, behaviour, error_code?` | `ok`, `unsubscribed`, `invalid`, `undelivered` |
//! | `POST twilio/webhooks` | `account_sid, auth_token, url` | where payers' messages go |
//! | `POST twilio/inbound` | `account_sid, from, to, body` | a payer's message; STOP and START count |
//! | `POST whatsapp/webhooks` | `phone_number_id, url, app_secret` | where status changes and payers' messages go |
//! | `POST whatsapp/numbers` | `to, error_code?` | messages to it fail with that error, or arrive |
//! | `POST whatsapp/inbound` | `phone_number_id, from, body` | a payer's message |
//! | `POST mail/webhooks` | `url, secret` | where bounces are handed in |
//! | `POST mail/mailboxes` | `address, behaviour, status?` | `ok`, `refused` at RCPT, `bounces` later |
//! | `POST whatsapp/templates` | `phone_number_id, name, language, body, button_url?` | an approved template |
//! | `GET ledger` | query: `provider, account, payment_intent, transaction_ref, succeeded` | charge attempts, oldest first |
//! | `PUT faults`, `GET`, `DELETE` | see [`crate::faults`] | misbehaviour of calls |
//! | `PUT webhook_faults`, `DELETE` | `provider, repeat, reorder, window_ms, delay_ms` | misbehaviour of webhooks |
//! | `GET events` | query: `provider, type, account, id` | events with their deliveries |
//! | `POST events/{id}/redeliver` | | delivers an event again |
//!
//! Accounts that a call names and that do not exist yet are opened by it.

mod messaging;
mod razorpay;
mod razorpay_later;
mod records;
mod replies;
mod stripe;
mod stripe_bills;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde_json::json;

use crate::state::State;
use crate::webhooks::Provider;
use crate::webhooks::endpoints::Endpoint;

pub(crate) fn routes(app: &mut web::ServiceConfig) {
    let control = web::scope("/_control")
        .app_data(web::JsonConfig::default().error_handler(|error, _| {
            let answer = refused(400, &error.to_string());
            actix_web::error::InternalError::from_response(error, answer).into()
        }))
        .route("/stripe/accounts", web::post().to(stripe::open_account))
        .route("/stripe/webhooks", web::post().to(stripe::register_webhook))
        .route(
            "/stripe/payment_methods",
            web::post().to(stripe::make_payment_method),
        )
        .route("/stripe/fail_payment", web::post().to(stripe::fail_payment))
        .route(
            "/stripe/pay_elsewhere",
            web::post().to(stripe::pay_elsewhere),
        )
        .route("/stripe/settle", web::post().to(stripe::settle))
        .configure(later)
        .route("/razorpay/accounts", web::post().to(razorpay::open_account))
        .route(
            "/razorpay/webhooks",
            web::post().to(razorpay::register_webhook),
        )
        .route(
            "/razorpay/fail_payment",
            web::post().to(razorpay::fail_payment),
        )
        .route(
            "/razorpay/pay_elsewhere",
            web::post().to(razorpay::pay_elsewhere),
        )
        .configure(message_routes)
        .route("/ledger", web::get().to(records::ledger))
        .route("/faults", web::put().to(records::put_fault))
        .route("/faults", web::get().to(records::list_faults))
        .route("/faults", web::delete().to(records::clear_faults))
        .route("/webhook_faults", web::put().to(records::disturb_webhooks))
        .route("/webhook_faults", web::delete().to(records::calm_webhooks))
        .route("/events", web::get().to(records::events))
        .route("/events/{id}/redeliver", web::post().to(records::redeliver));
    app.service(control);
}

fn message_routes(app: &mut web::ServiceConfig) {
    app.route(
        "/twilio/accounts",
        web::post().to(messaging::open_twilio_account),
    )
    .route("/twilio/numbers", web::post().to(messaging::set_number))
    .route(
        "/twilio/webhooks",
        web::post().to(replies::register_twilio_webhook),
    )
    .route("/twilio/inbound", web::post().to(replies::twilio_inbound))
    .route(
        "/whatsapp/numbers",
        web::post().to(messaging::set_whatsapp_number),
    )
    .route(
        "/whatsapp/inbound",
        web::post().to(replies::whatsapp_inbound),
    )
    .route(
        "/mail/webhooks",
        web::post().to(messaging::register_mail_webhook),
    )
    .route("/mail/mailboxes", web::post().to(messaging::set_mailbox))
    .route(
        "/whatsapp/webhooks",
        web::post().to(messaging::register_whatsapp_webhook),
    )
    .route(
        "/whatsapp/templates",
        web::post().to(messaging::approve_template),
    );
}

/// What becomes of payments and bills later.
fn later(app: &mut web::ServiceConfig) {
    app.route(
        "/stripe/fail_invoice",
        web::post().to(stripe_bills::fail_invoice),
    )
    .route(
        "/stripe/retry_invoice",
        web::post().to(stripe_bills::retry_invoice),
    )
    .route(
        "/stripe/try_next_at",
        web::post().to(stripe_bills::try_next_at),
    )
    .route("/stripe/refund", web::post().to(stripe_bills::refund))
    .route("/stripe/dispute", web::post().to(stripe_bills::dispute))
    .route("/stripe/cancel", web::post().to(stripe_bills::cancel))
    .route(
        "/razorpay/authorize_late",
        web::post().to(razorpay_later::authorize_late),
    )
    .route("/razorpay/capture", web::post().to(razorpay_later::capture))
    .route("/razorpay/refund", web::post().to(razorpay_later::refund))
    .route("/razorpay/dispute", web::post().to(razorpay_later::dispute));
}

/// An error of the caller's, in words.
fn refused(status: u16, message: &str) -> HttpResponse {
    HttpResponse::build(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST))
        .json(json!({ "error": message }))
}

/// Registers an endpoint that is on, of an account of its own.
fn register(
    state: &State,
    provider: Provider,
    account: String,
    (url, secret): (String, String),
    events: Vec<String>,
) -> HttpResponse {
    let endpoint = state.webhooks.register(Endpoint {
        provider,
        account,
        url,
        secrets: vec![secret],
        enabled: true,
        connect_account: false,
        events,
    });
    HttpResponse::Ok().json(endpoint)
}

fn all_events() -> Vec<String> {
    vec!["*".to_owned()]
}

fn yes() -> bool {
    true
}
