//! Plays Stripe: its API under `/stripe/v1` and the checkout page under `/stripe/checkout`.
//!
//! Each secret key (`sk_test_…`) opens one account with a state of its own; the control API makes
//! accounts. What a call does is a plain function on `call::Call` that collects its events and
//! ledger entries; `api` does HTTP, credentials and idempotency keys around it.
//!
//! Known differences: there are only cards and automatic capture; payment methods that are not
//! attached can be used more than once; no setup intents or subscriptions; Stripe's own retries of
//! an invoice are made on command.

pub(crate) mod account;
pub(crate) mod afterwards;
pub(crate) mod api;
pub(crate) mod call;
pub(crate) mod calls;
pub(crate) mod charges;
pub(crate) mod charging;
pub(crate) mod checkout;
pub(crate) mod checkout_page;
pub(crate) mod customers;
pub(crate) mod declines;
pub(crate) mod dunning;
pub(crate) mod errors;
pub(crate) mod events;
pub(crate) mod form;
pub(crate) mod idempotency;
pub(crate) mod invoices;
pub(crate) mod merchant;
pub(crate) mod payment_intents;
pub(crate) mod payment_methods;
mod test_cards;

pub(crate) use account::Stripe;

use actix_web::web;

pub(crate) fn routes(app: &mut web::ServiceConfig) {
    app.route("/stripe/v1/{path:.*}", web::route().to(api::handle))
        .route("/stripe/checkout/{id}", web::get().to(checkout_page::show))
        .route("/stripe/checkout/{id}", web::post().to(checkout_page::pay))
        .route(
            "/stripe/checkout/{id}/authenticate",
            web::post().to(checkout_page::authenticate),
        );
}
