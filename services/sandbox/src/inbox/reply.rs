//! Answering a message from the inbox's page.

use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::Channel;
use super::store::Message;
use crate::pages;
use crate::state::State;
use crate::{twilio, whatsapp};

#[derive(Deserialize)]
pub(super) struct Reply {
    text: String,
}

/// Sends the payer's answer to whoever wrote, and shows the message again. Mail is not answered
/// here: Tinko reads none.
pub(super) async fn send(
    id: web::Path<String>,
    reply: web::Form<Reply>,
    state: web::Data<State>,
) -> HttpResponse {
    let Some(message) = state.inbox.get(&id) else {
        return pages::not_found(&state.pages);
    };
    if !deliver(&state, &message, reply.into_inner().text) {
        return HttpResponse::Conflict().finish();
    }
    HttpResponse::SeeOther()
        .insert_header((LOCATION, format!("/inbox/{id}")))
        .finish()
}

/// Whether the message is one that can be answered.
fn deliver(state: &State, message: &Message, body: String) -> bool {
    match message.channel {
        Channel::Email => return false,
        Channel::Sms => {
            let account = message.details["account_sid"].as_str().unwrap_or_default();
            let inbound = twilio::Inbound {
                account_sid: account.to_owned(),
                from: message.to.clone(),
                to: message.from.clone(),
                body,
            };
            twilio::receive(state, inbound);
        }
        Channel::Whatsapp => {
            let inbound = whatsapp::Inbound {
                phone_number_id: message.from.clone(),
                from: message.to.clone(),
                body,
            };
            whatsapp::receive(state, &inbound);
        }
    }
    true
}
