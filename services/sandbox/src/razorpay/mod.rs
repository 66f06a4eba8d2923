//! Plays Razorpay: its API under `/razorpay/v1` and the payment link's page under `/razorpay/pl`.
//!
//! Each key id opens one account with a state of its own; the control API makes accounts. What a
//! call does is a plain function on `call::Call` that collects its events and ledger entries.
//!
//! Known differences: payments are captured at once, but those that are authorized late on command;
//! no subscriptions or partial payments.

pub(crate) mod account;
pub(crate) mod afterwards;
pub(crate) mod api;
pub(crate) mod call;
pub(crate) mod errors;
pub(crate) mod merchant;
pub(crate) mod notes;
pub(crate) mod orders;
pub(crate) mod page;
pub(crate) mod payment_links;
pub(crate) mod payments;

use actix_web::web;
use chrono::{DateTime, Utc};

pub(crate) use account::Razorpay;

use crate::state::{State, locked};

pub(crate) fn routes(app: &mut web::ServiceConfig) {
    app.route("/razorpay/v1/{path:.*}", web::route().to(api::handle))
        .route("/razorpay/pl/{id}", web::get().to(page::show))
        .route("/razorpay/pl/{id}", web::post().to(page::pay))
        .route("/razorpay/done/{id}", web::get().to(page::done));
}

/// Expires the payment links whose time is over.
pub(crate) fn sweep(state: &State, now: DateTime<Utc>) {
    let mut razorpay = locked(&state.razorpay);
    for account in razorpay.all() {
        if payment_links::overdue(account, now).is_empty() {
            continue;
        }
        let mut call = call::Call::new(state, account, now, crate::ledger::Initiator::Payer);
        payment_links::expire_overdue(&mut call);
        call.effects.write(state);
    }
}
