//! The inbox over HTTP.

use std::time::Duration;

use actix_web::{HttpResponse, web};
use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Deserialize;
use serde_json::json;

use super::store::{Message, Wanted};
use crate::pages;
use crate::state::State;

pub(super) async fn list(wanted: web::Query<Wanted>, state: web::Data<State>) -> HttpResponse {
    HttpResponse::Ok().json(state.inbox.find(&wanted))
}

pub(super) async fn one(id: web::Path<String>, state: web::Data<State>) -> HttpResponse {
    match state.inbox.get(&id) {
        Some(message) => HttpResponse::Ok().json(message),
        None => HttpResponse::NotFound().finish(),
    }
}

pub(super) async fn clear(state: web::Data<State>) -> HttpResponse {
    state.inbox.clear();
    HttpResponse::NoContent().finish()
}

#[derive(Deserialize)]
pub(super) struct Patience {
    #[serde(default = "one_message")]
    count: usize,
    #[serde(default = "ten_seconds")]
    timeout_ms: u64,
}

fn one_message() -> usize {
    1
}

fn ten_seconds() -> u64 {
    10_000
}

pub(super) async fn wait(
    wanted: web::Query<Wanted>,
    patience: web::Query<Patience>,
    state: web::Data<State>,
) -> HttpResponse {
    let timeout = Duration::from_millis(patience.timeout_ms);
    match state.inbox.wait(&wanted, patience.count, timeout).await {
        Ok(messages) => HttpResponse::Ok().json(messages),
        Err(so_far) => HttpResponse::RequestTimeout().json(so_far),
    }
}

pub(super) async fn home(state: web::Data<State>) -> HttpResponse {
    state.pages.answer(200, "home.html", context! {})
}

/// A subject, or the beginning of the text.
fn title(message: &Message) -> String {
    let text = message
        .subject
        .as_deref()
        .or(message.text.as_deref())
        .unwrap_or("(empty)");
    text.chars().take(80).collect()
}

/// To the second: people compare minutes, tests read `received_at`.
fn clock_time(message: &Message) -> String {
    message.received_at.format("%Y-%m-%d %H:%M:%S").to_string()
}

pub(super) async fn page(state: web::Data<State>) -> HttpResponse {
    let messages = state.inbox.find(&Wanted::default());
    let newest_first: Vec<_> = messages
        .iter()
        .rev()
        .map(|message| {
            Value::from(Serde(json!({
                "id": message.id, "channel": message.channel, "to": message.to,
                "received_at": message.received_at, "title": title(message), "received": clock_time(message),
            })))
        })
        .collect();
    state
        .pages
        .answer(200, "inbox.html", context! { messages => newest_first })
}

pub(super) async fn message_page(id: web::Path<String>, state: web::Data<State>) -> HttpResponse {
    match state.inbox.get(&id) {
        Some(message) => {
            let (title, received) = (title(&message), clock_time(&message));
            state.pages.answer(
                200,
                "message.html",
                context! { title, received, message => Value::from(Serde(&message)) },
            )
        }
        None => pages::not_found(&state.pages),
    }
}
