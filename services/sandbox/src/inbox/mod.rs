//! What payers received: every email, SMS and WhatsApp message, for people and for tests.
//!
//! - `GET /inbox/messages?channel=&to=` lists, oldest first; `GET /inbox/messages/{id}` is one;
//!   `DELETE /inbox/messages` empties it.
//! - `GET /inbox/wait?channel=&to=&count=N&timeout_ms=` answers once N messages match; after the
//!   time-out it answers what there is with 408.
//! - `GET /inbox` and `/inbox/{id}` are the same for people, who can answer a message there:
//!   `POST /inbox/{id}/reply` with a form's `text`.

mod links;
pub(crate) mod mail;
mod reply;
mod store;
mod views;

use actix_web::web;

pub(crate) use links::in_text as links_in_text;
pub(crate) use store::{Channel, Inbox, NewMessage};

pub(crate) fn routes(app: &mut web::ServiceConfig) {
    app.route("/", web::get().to(views::home))
        .route("/inbox", web::get().to(views::page))
        .route("/inbox/messages", web::get().to(views::list))
        .route("/inbox/messages", web::delete().to(views::clear))
        .route("/inbox/messages/{id}", web::get().to(views::one))
        .route("/inbox/wait", web::get().to(views::wait))
        .route("/inbox/{id}", web::get().to(views::message_page))
        .route("/inbox/{id}/reply", web::post().to(reply::send));
}
