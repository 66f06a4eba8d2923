//! Twilio accounts and numbers, WhatsApp templates and endpoints, mailboxes.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::refused;
use crate::smtp::mailboxes::{ACCOUNT, Mailbox};
use crate::state::{State, locked};
use crate::twilio::Behaviour;
use crate::webhooks::Provider;
use crate::whatsapp::Template;

#[derive(Deserialize)]
pub(super) struct OpenTwilioAccount {
    account_sid: String,
    auth_token: String,
}

pub(super) async fn open_twilio_account(
    asked: web::Json<OpenTwilioAccount>,
    state: web::Data<State>,
) -> HttpResponse {
    let asked = asked.into_inner();
    locked(&state.twilio).open(&asked.account_sid, asked.auth_token);
    HttpResponse::Ok().json(json!({ "account_sid": asked.account_sid }))
}

#[derive(Deserialize)]
pub(super) struct SetNumber {
    to: String,
    #[serde(flatten)]
    behaviour: Behaviour,
}

pub(super) async fn set_number(
    asked: web::Json<SetNumber>,
    state: web::Data<State>,
) -> HttpResponse {
    let asked = asked.into_inner();
    locked(&state.twilio).set_number(&asked.to, asked.behaviour);
    HttpResponse::Ok().json(json!({ "to": asked.to }))
}

#[derive(Deserialize)]
pub(super) struct RegisterWhatsappWebhook {
    phone_number_id: String,
    url: String,
    app_secret: String,
}

pub(super) async fn register_whatsapp_webhook(
    asked: web::Json<RegisterWhatsappWebhook>,
    state: web::Data<State>,
) -> HttpResponse {
    let asked = asked.into_inner();
    if url::Url::parse(&asked.url).is_err() {
        return refused(400, "an endpoint needs a url");
    }
    let endpoint = (asked.url, asked.app_secret);
    let events = super::all_events();
    super::register(
        &state,
        Provider::Whatsapp,
        asked.phone_number_id,
        endpoint,
        events,
    )
}

#[derive(Deserialize)]
pub(super) struct ApproveTemplate {
    phone_number_id: String,
    #[serde(flatten)]
    template: Template,
}

pub(super) async fn approve_template(
    asked: web::Json<ApproveTemplate>,
    state: web::Data<State>,
) -> HttpResponse {
    let asked = asked.into_inner();
    let name = asked.template.name.clone();
    locked(&state.whatsapp).approve(&asked.phone_number_id, asked.template);
    HttpResponse::Ok().json(json!({ "name": name }))
}

#[derive(Deserialize)]
pub(super) struct SetWhatsappNumber {
    to: String,
    error_code: Option<u32>,
}

pub(super) async fn set_whatsapp_number(
    asked: web::Json<SetWhatsappNumber>,
    state: web::Data<State>,
) -> HttpResponse {
    locked(&state.whatsapp).set_number(&asked.to, asked.error_code);
    HttpResponse::Ok().json(json!({ "to": asked.to }))
}

#[derive(Deserialize)]
pub(super) struct RegisterMailWebhook {
    url: String,
    secret: String,
}

pub(super) async fn register_mail_webhook(
    asked: web::Json<RegisterMailWebhook>,
    state: web::Data<State>,
) -> HttpResponse {
    let asked = asked.into_inner();
    if url::Url::parse(&asked.url).is_err() {
        return refused(400, "an endpoint needs a url");
    }
    let endpoint = (asked.url, asked.secret);
    let events = super::all_events();
    super::register(&state, Provider::Mail, ACCOUNT.to_owned(), endpoint, events)
}

#[derive(Deserialize)]
pub(super) struct SetMailbox {
    address: String,
    #[serde(flatten)]
    mailbox: Mailbox,
}

pub(super) async fn set_mailbox(
    asked: web::Json<SetMailbox>,
    state: web::Data<State>,
) -> HttpResponse {
    let asked = asked.into_inner();
    locked(&state.mailboxes).set(&asked.address, asked.mailbox);
    HttpResponse::Ok().json(json!({ "address": asked.address }))
}
