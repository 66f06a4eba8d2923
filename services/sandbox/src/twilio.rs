//! Plays Twilio's Messages resource: `/twilio/2010-04-01/Accounts/{Sid}/Messages.json`.
//!
//! Any auth token is right for an account that the control API has not opened; the first one seen
//! signs its status callbacks. Messages are delivered at once: the answer to the POST says
//! `queued`, a look-up says `delivered` (or `undelivered`). Twilio's magic test numbers work.

use std::collections::HashMap;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::clock;
use crate::credentials;
use crate::faults::Target;
use crate::faults::http::perform;
use crate::inbox::{Channel, NewMessage, links_in_text};
use crate::shelf::Shelf;
use crate::state::{State, locked};
use crate::webhooks::signing::Signer;
use crate::webhooks::{Event, Payload, Provider};

/// How a number behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(tag = "behaviour", rename_all = "snake_case")]
pub(crate) enum Behaviour {
    Ok,
    /// Has answered STOP: 21610.
    Unsubscribed,
    /// Is no number: 21211.
    Invalid,
    /// Is accepted and then not delivered, with this error (30003 unreachable, 30005 unknown, …).
    Undelivered {
        #[serde(default = "unreachable_handset")]
        error_code: u32,
    },
}

fn unreachable_handset() -> u32 {
    30003
}

#[derive(Default)]
pub(crate) struct Twilio {
    tokens: HashMap<String, String>,
    numbers: HashMap<String, Behaviour>,
    messages: Shelf<Sms>,
}

#[derive(Debug, Clone)]
struct Sms {
    sid: String,
    account: String,
    to: String,
    from: Option<String>,
    service: Option<String>,
    body: String,
    status: &'static str,
    error_code: Option<u32>,
    created: DateTime<Utc>,
}

impl Sms {
    fn shown(&self, status: &str) -> Value {
        let at = self.created.to_rfc2822();
        let error_code = self.error_code.filter(|_| status == "undelivered");
        json!({
            "account_sid": self.account,
            "api_version": "2010-04-01",
            "body": self.body,
            "date_created": at,
            "date_sent": (status != "queued").then(|| at.clone()),
            "date_updated": at,
            "direction": "outbound-api",
            "error_code": error_code,
            "error_message": error_code.map(|_| "The message was not delivered"),
            "from": self.from,
            "messaging_service_sid": self.service,
            "num_media": "0",
            "num_segments": segments(&self.body).to_string(),
            "price": null,
            "price_unit": "USD",
            "sid": self.sid,
            "status": status,
            "subresource_uris": {},
            "to": self.to,
            "uri": format!("/2010-04-01/Accounts/{}/Messages/{}.json", self.account, self.sid),
        })
    }
}

/// Parts of 160 or 153 characters, of 70 or 67 when there are others than ASCII ones (GSM 03.38
/// has a few more; close enough to tell one part from two).
fn segments(body: &str) -> usize {
    let (length, whole, part) = if body.is_ascii() {
        (body.len(), 160, 153)
    } else {
        (body.encode_utf16().count(), 70, 67)
    };
    if length <= whole {
        1
    } else {
        length.div_ceil(part)
    }
}

/// Twilio's errors by number (twilio.com/docs/api/errors).
struct Refusal {
    status: u16,
    code: u32,
    message: String,
}

impl Refusal {
    fn new(status: u16, code: u32, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    fn of_status(status: u16) -> Self {
        match status {
            429 => Self::new(429, 20429, "Too Many Requests"),
            401 => Self::new(401, 20003, "Authenticate"),
            other => Self::new(other, 20500, "An internal server error has occurred"),
        }
    }

    fn answer(&self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        HttpResponse::build(status).json(json!({
            "code": self.code,
            "message": self.message,
            "more_info": format!("https://www.twilio.com/docs/errors/{}", self.code),
            "status": self.status,
        }))
    }
}

impl Twilio {
    pub(crate) fn open(&mut self, account: &str, auth_token: String) {
        self.tokens.insert(account.to_owned(), auth_token);
    }

    pub(crate) fn set_number(&mut self, number: &str, behaviour: Behaviour) {
        self.numbers.insert(number.to_owned(), behaviour);
    }

    /// The auth token, if the credentials are right.
    fn authorize(&mut self, account: &str, given: Option<(String, String)>) -> Option<String> {
        let (user, password) = given?;
        // An API key (SK…) may stand for the account; its secret is not the auth token.
        if (user != account && !user.starts_with("SK")) || password.is_empty() {
            return None;
        }
        let known = self
            .tokens
            .entry(account.to_owned())
            .or_insert_with(|| password.clone());
        (user.starts_with("SK") || *known == password).then(|| known.clone())
    }

    fn behaviour(&self, to: &str) -> Behaviour {
        let is_number = to.len() >= 9
            && to.len() <= 16
            && to.starts_with('+')
            && to.chars().skip(1).all(|digit| digit.is_ascii_digit());
        match to {
            _ if !is_number => Behaviour::Invalid,
            // twilio.com/docs/iam/test-credentials
            "+15005550001" => Behaviour::Invalid,
            "+15005550004" => Behaviour::Unsubscribed,
            _ => self.numbers.get(to).copied().unwrap_or(Behaviour::Ok),
        }
    }
}

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

pub(crate) fn routes(app: &mut web::ServiceConfig) {
    let account = "/twilio/2010-04-01/Accounts/{account}";
    app.route(&format!("{account}/Messages.json"), web::post().to(create))
        .route(&format!("{account}/Messages.json"), web::get().to(list))
        .route(
            &format!("{account}/Messages/{{sid}}.json"),
            web::get().to(fetch),
        );
}

async fn create(
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
            match form(&body).and_then(|send| accept(&acting_on, &account, token, send)) {
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

fn accept(state: &State, account: &str, token: String, send: Send) -> Result<Value, Refusal> {
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
        call_back(state, &sms, &url, &token);
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
        headers: std::collections::BTreeMap::new(),
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
            .emit_to_url(event, url.to_owned(), signer, after);
    }
}

/// Filters of the list: Twilio writes inequalities as `DateSent>=2026-01-31`.
struct Filter {
    to: Option<String>,
    from: Option<String>,
    sent_on: Option<NaiveDate>,
    sent_from: Option<NaiveDate>,
    sent_until: Option<NaiveDate>,
    page_size: usize,
}

impl Filter {
    fn read(query: &str) -> Self {
        let fields: HashMap<String, String> = url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        let date = |name: &str| {
            let value = fields.get(name)?;
            NaiveDate::parse_from_str(value.get(..10)?, "%Y-%m-%d").ok()
        };
        let size = fields.get("PageSize").and_then(|size| size.parse().ok());
        Self {
            to: fields.get("To").cloned(),
            from: fields.get("From").cloned(),
            sent_on: date("DateSent"),
            sent_from: date("DateSent>"),
            sent_until: date("DateSent<"),
            page_size: size.unwrap_or(50).clamp(1, 1000),
        }
    }

    fn matches(&self, sms: &Sms) -> bool {
        let day = sms.created.date_naive();
        self.to.as_ref().is_none_or(|it| *it == sms.to)
            && self
                .from
                .as_ref()
                .is_none_or(|it| sms.from.as_ref() == Some(it))
            && self.sent_on.is_none_or(|it| it == day)
            && self.sent_from.is_none_or(|it| it <= day)
            && self.sent_until.is_none_or(|it| it >= day)
    }
}

async fn list(
    request: HttpRequest,
    account: web::Path<String>,
    state: web::Data<State>,
) -> HttpResponse {
    read(
        &request,
        &state,
        account.into_inner(),
        |twilio, account, query| {
            let filter = Filter::read(query);
            let matching = twilio.messages.newest_first();
            let matching = matching.filter(|sms| sms.account == account && filter.matches(sms));
            let messages: Vec<Value> = matching
                .take(filter.page_size)
                .map(|sms| sms.shown(sms.status))
                .collect();
            Ok(json!({
                "messages": messages,
                "page": 0,
                "page_size": filter.page_size,
                "start": 0,
                "end": messages.len().saturating_sub(1),
                "next_page_uri": null,
                "previous_page_uri": null,
                "uri": format!("/2010-04-01/Accounts/{account}/Messages.json"),
            }))
        },
    )
    .await
}

async fn fetch(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    state: web::Data<State>,
) -> HttpResponse {
    let (account, sid) = path.into_inner();
    read(&request, &state, account, move |twilio, account, _| {
        let sms = twilio
            .messages
            .get(&sid)
            .filter(|sms| sms.account == account);
        let sms = sms.ok_or_else(|| {
            Refusal::new(
                404,
                20404,
                format!("The requested resource {sid} was not found"),
            )
        })?;
        Ok(sms.shown(sms.status))
    })
    .await
}

async fn read(
    request: &HttpRequest,
    state: &web::Data<State>,
    account: String,
    look: impl FnOnce(&Twilio, &str, &str) -> Result<Value, Refusal> + 'static,
) -> HttpResponse {
    let given = credentials::basic(request);
    let query = request.query_string().to_owned();
    let refuse = |status| Refusal::of_status(status).answer();
    let acting_on = state.clone();
    perform(
        state,
        Target::Twilio,
        request,
        refuse,
        |slowed_by| async move {
            tokio::time::sleep(slowed_by).await;
            let mut twilio = locked(&acting_on.twilio);
            if twilio.authorize(&account, given).is_none() {
                return Refusal::of_status(401).answer();
            }
            match look(&twilio, &account, &query) {
                Ok(answer) => HttpResponse::Ok().json(answer),
                Err(refusal) => refusal.answer(),
            }
        },
    )
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_non_ascii_texts_take_more_segments() {
        assert_eq!(segments(&"a".repeat(160)), 1);
        assert_eq!(segments(&"a".repeat(161)), 2);
        assert_eq!(segments(&"ü".repeat(71)), 2);
    }

    #[test]
    fn inequalities_of_dates_are_read() {
        let filter = Filter::read("To=%2B14155550100&DateSent>=2026-01-31&PageSize=5");
        assert_eq!(filter.to.as_deref(), Some("+14155550100"));
        assert_eq!(filter.sent_from, NaiveDate::from_ymd_opt(2026, 1, 31));
        assert_eq!(filter.page_size, 5);
    }
}
