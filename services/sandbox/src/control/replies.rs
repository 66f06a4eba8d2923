//! What payers answer, and where it goes.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::refused;
use crate::state::{State, locked};
use crate::twilio;
use crate::webhooks::Provider;
use crate::whatsapp;

#[derive(Deserialize)]
pub(super) struct RegisterTwilioWebhook {
    account_sid: String,
    auth_token: String,
    url: String,
}

pub(super) async fn register_twilio_webhook(
    asked: web::Json<RegisterTwilioWebhook>,
    state: web::Data<State>,
) -> HttpResponse {
    let asked = asked.into_inner();
    if url::Url::parse(&asked.url).is_err() {
        return refused(400, "an endpoint needs a url");
    }
    locked(&state.twilio).open(&asked.account_sid, asked.auth_token.clone());
    let endpoint = (asked.url, asked.auth_token);
    // Status callbacks go to the address that came with the message.
    let events = vec!["message.received".to_owned()];
    super::register(
        &state,
        Provider::Twilio,
        asked.account_sid,
        endpoint,
        events,
    )
}

pub(super) async fn twilio_inbound(
    asked: web::Json<twilio::Inbound>,
    state: web::Data<State>,
) -> HttpResponse {
    let event = twilio::receive(&state, asked.into_inner());
    HttpResponse::Ok().json(json!({ "event_id": event }))
}

pub(super) async fn whatsapp_inbound(
    asked: web::Json<whatsapp::Inbound>,
    state: web::Data<State>,
) -> HttpResponse {
    let event = whatsapp::receive(&state, &asked);
    HttpResponse::Ok().json(json!({ "event_id": event }))
}
