//! Taking a message and telling what became of it.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Behaviour;
use super::refusal::Refusal;
use super::sms::{Sms, segments};
use crate::faults::Target;
use crate::faults::http::perform;
use crate::inbox::{Channel, NewMessage, links_in_text};
use crate::state::{State, locked};
use crate::webhooks::signing::Signer;
use crate::webhooks::{Event, Payload, Provider};
use crate::{clock, credentials};

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Send {
    #[serde(default)]
    to: String,
    from: Option<String>,
    messaging_service_sid: Option<String>,
    #[serde(default)]
    body: String,
    status_callback: Option<String>,
}

pub(super) async fn create(
    request: HttpRequest,
    account: web::Path<String>,
    body: web::Bytes,
    state: web::Data<State>,
) -> HttpResponse {
    let given = credentials::basic(&request);
    let refuse = |status| Refusal::of_status(status).answer();
    let acting_on = state.clone();
    perform(
        &state,
        Target::Twilio,
        &request,
        refuse,
        |slowed_by| async move {
            tokio::time::sleep(slowed_by).await;
            let Some(token) = locked(&acting_on.twilio).authorize(&account, given) else {
                return Refusal::of_status(401).answer();
            };
            match form(&body).and_then(|send| accept(&acting_on, &account, &token, send)) {
                Ok(answer) => HttpResponse::Created().json(answer),
                Err(refusal) => refusal.answer(),
            }
        },
    )
    .await
}

fn form(body: &[u8]) -> Result<Send, Refusal> {
    let fields: HashMap<String, String> = url::form_urlencoded::parse(body).into_owned().collect();
    let object = fields
        .into_iter()
        .map(|(name, value)| (name, Value::from(value)));
    serde_json::from_value(object.collect())
        .map_err(|error| Refusal::new(400, 20001, error.to_string()))
}

fn accept(state: &State, account: &str, token: &str, send: Send) -> Result<Value, Refusal> {
    if send.from.is_none() && send.messaging_service_sid.is_none() {
        return Err(Refusal::new(
            400,
            21603,
            "A 'From' phone number is required.",
        ));
    }
    if send.to.is_empty() {
        return Err(Refusal::new(400, 21604, "A 'To' phone number is required."));
    }
    if send.body.is_empty() {
        return Err(Refusal::new(400, 21602, "Message body is required."));
    }
    if send.body.chars().count() > 1600 {
        let message = "The concatenated message body exceeds the 1600 character limit";
        return Err(Refusal::new(400, 21617, message));
    }
    let mut twilio = locked(&state.twilio);
    let (status, error_code) = match twilio.behaviour(&send.to) {
        Behaviour::Ok => ("delivered", None),
        Behaviour::Undelivered { error_code } => ("undelivered", Some(error_code)),
        Behaviour::Unsubscribed => {
            return Err(Refusal::new(
                400,
                21610,
                "Attempt to send to unsubscribed recipient",
            ));
        }
        Behaviour::Invalid => {
            let message = format!("Invalid 'To' Phone Number: {}", send.to);
            return Err(Refusal::new(400, 21211, message));
        }
    };
    let sms = Sms {
        sid: state.ids.twilio("SM"),
        account: account.to_owned(),
        to: send.to,
        from: send.from,
        service: send.messaging_service_sid,
        body: send.body,
        status,
        error_code,
        created: clock::now(),
    };
    let answer = sms.shown("queued");
    if status == "delivered" {
        state.inbox.receive(message(&sms), sms.created);
    }
    if let Some(url) = send.status_callback {
        call_back(state, &sms, &url, token);
    }
    twilio.messages.put(&sms.sid.clone(), sms);
    Ok(answer)
}

fn message(sms: &Sms) -> NewMessage {
    NewMessage {
        channel: Channel::Sms,
        to: sms.to.clone(),
        from: sms
            .from
            .clone()
            .or_else(|| sms.service.clone())
            .unwrap_or_default(),
        subject: None,
        text: Some(sms.body.clone()),
        html: None,
        headers: BTreeMap::new(),
        links: links_in_text(&sms.body),
        provider_id: Some(sms.sid.clone()),
        details: json!({ "account_sid": sms.account, "num_segments": segments(&sms.body) }),
    }
}

/// Posts `sent` and then the final status, as Twilio does.
fn call_back(state: &State, sms: &Sms, url: &str, token: &str) {
    for (place, status) in ["sent", sms.status].into_iter().enumerate() {
        let mut fields = vec![
            ("AccountSid".to_owned(), sms.account.clone()),
            ("ApiVersion".to_owned(), "2010-04-01".to_owned()),
            ("From".to_owned(), sms.from.clone().unwrap_or_default()),
            ("MessageSid".to_owned(), sms.sid.clone()),
            ("MessageStatus".to_owned(), status.to_owned()),
            ("SmsSid".to_owned(), sms.sid.clone()),
            ("SmsStatus".to_owned(), status.to_owned()),
            ("To".to_owned(), sms.to.clone()),
        ];
        if let Some(code) = sms.error_code.filter(|_| status == "undelivered") {
            fields.push(("ErrorCode".to_owned(), code.to_string()));
        }
        let event = Event {
            id: state.ids.twilio("EV"),
            provider: Provider::Twilio,
            kind: format!("message.{status}"),
            account: sms.account.clone(),
            created: sms.created,
            payload: Payload::Form(fields),
        };
        let signer = Signer::Twilio {
            auth_token: token.to_owned(),
        };
        let after = if place == 0 {
            Duration::ZERO
        } else {
            Duration::from_millis(100)
        };
        state
            .webhooks
            .emit_to_url(&event, url.to_owned(), signer, after);
    }
}
