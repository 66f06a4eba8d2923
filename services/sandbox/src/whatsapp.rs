//! Plays the WhatsApp Cloud API: `POST /whatsapp/v{NN}.0/{phone_number_id}/messages`.
//!
//! Templates that the control API approved render as they would on the phone, and once a phone
//! number has an approved template, others are refused as Meta refuses them; without any, the
//! message shows the template's name and parameters. Status changes (`sent`, `delivered`, or `failed`
//! for a payer of whom the control API says so) and payers' messages go to the number's registered
//! webhook.

mod events;

use std::collections::{BTreeMap, HashMap};

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::clock;
use crate::credentials;
use crate::faults::Target;
use crate::faults::http::perform;
use crate::inbox::{Channel, NewMessage, links_in_text};
use crate::state::{State, locked};
pub(crate) use events::{Inbound, receive};

/// A template as Meta approved it: `{{1}}` stands for the first parameter, and so on.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Template {
    pub(crate) name: String,
    language: String,
    body: String,
    /// A button's address, whose `{{1}}` is the button's parameter.
    #[serde(default)]
    button_url: Option<String>,
}

#[derive(Default)]
pub(crate) struct Whatsapp {
    templates: HashMap<String, Vec<Template>>,
    /// With which error messages to a payer fail, by the payer's number in digits.
    failing: HashMap<String, u32>,
}

impl Whatsapp {
    /// Lets messages to `number` be accepted and then fail, or arrive again.
    pub(crate) fn set_number(&mut self, number: &str, error_code: Option<u32>) {
        let digits = digits(number);
        match error_code {
            Some(code) => self.failing.insert(digits, code),
            None => self.failing.remove(&digits),
        };
    }

    pub(crate) fn approve(&mut self, phone_number_id: &str, template: Template) {
        let templates = self
            .templates
            .entry(phone_number_id.to_owned())
            .or_default();
        templates.retain(|old| (&old.name, &old.language) != (&template.name, &template.language));
        templates.push(template);
    }
}

/// A Graph API error (developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes).
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
            429 => Self::new(429, 130_429, "(#130429) Rate limit hit"),
            401 => Self::new(401, 190, "Invalid OAuth access token."),
            other => Self::new(other, 131_000, "(#131000) Something went wrong"),
        }
    }

    fn answer(&self, trace: &str) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        HttpResponse::build(status).json(json!({ "error": {
            "message": self.message,
            "type": "OAuthException",
            "code": self.code,
            "error_data": { "messaging_product": "whatsapp", "details": self.message },
            "fbtrace_id": trace,
        }}))
    }
}

#[derive(Deserialize)]
struct Send {
    messaging_product: Option<String>,
    to: Option<String>,
    #[serde(rename = "type", default = "text_kind")]
    kind: String,
    text: Option<TextBody>,
    template: Option<TemplateUse>,
    biz_opaque_callback_data: Option<String>,
}

fn text_kind() -> String {
    "text".to_owned()
}

#[derive(Deserialize)]
struct TextBody {
    body: String,
}

#[derive(Deserialize)]
struct TemplateUse {
    name: String,
    language: Language,
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Deserialize)]
struct Language {
    code: String,
}

#[derive(Deserialize)]
struct Component {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    parameters: Vec<Parameter>,
}

#[derive(Deserialize)]
struct Parameter {
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    payload: Option<String>,
}

impl TemplateUse {
    fn parameters(&self, kind: &str) -> Vec<&str> {
        let components = self
            .components
            .iter()
            .filter(|component| component.kind.eq_ignore_ascii_case(kind));
        let parameters = components.flat_map(|component| &component.parameters);
        parameters
            .filter_map(|parameter| parameter.text.as_deref().or(parameter.payload.as_deref()))
            .collect()
    }

    /// What the payer reads, as the approved template has it.
    fn render(&self, template: &Template) -> Result<String, Refusal> {
        let body = fill(&template.body, &self.parameters("body"))?;
        match &template.button_url {
            None => Ok(body),
            Some(url) => Ok(format!(
                "{body}\n\n{}",
                fill(url, &self.parameters("button"))?
            )),
        }
    }

    fn describe(&self) -> String {
        let mut lines = vec![format!("[template {} {}]", self.name, self.language.code)];
        for kind in ["header", "body", "button"] {
            lines.extend(self.parameters(kind).into_iter().map(str::to_owned));
        }
        lines.join("\n")
    }
}

/// Meta wants exactly as many parameters as the template has places.
fn fill(text: &str, parameters: &[&str]) -> Result<String, Refusal> {
    let places = (1_usize..100)
        .take_while(|place| text.contains(&format!("{{{{{place}}}}}")))
        .count();
    if places != parameters.len() {
        let message = format!(
            "(#132000) Number of parameters does not match the expected number of params: expected {places}, got {}",
            parameters.len()
        );
        return Err(Refusal::new(400, 132_000, message));
    }
    let filled = parameters
        .iter()
        .enumerate()
        .fold(text.to_owned(), |filled, (place, value)| {
            filled.replace(&format!("{{{{{}}}}}", place + 1), value)
        });
    Ok(filled)
}

/// A number as WhatsApp writes it.
fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

pub(crate) fn routes(app: &mut web::ServiceConfig) {
    app.route(
        "/whatsapp/{version:v[0-9]+\\.0}/{phone_number_id}/messages",
        web::post().to(send),
    );
}

async fn send(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    body: web::Bytes,
    state: web::Data<State>,
) -> HttpResponse {
    let (_, phone_number_id) = path.into_inner();
    let token = credentials::bearer(&request).filter(|token| !token.is_empty());
    let trace = state.ids.next("A", 22);
    let refusal_trace = trace.clone();
    let refuse = move |status| Refusal::of_status(status).answer(&refusal_trace);
    let acting_on = state.clone();
    perform(
        &state,
        Target::Whatsapp,
        &request,
        refuse,
        |slowed_by| async move {
            tokio::time::sleep(slowed_by).await;
            if token.is_none() {
                return Refusal::of_status(401).answer(&trace);
            }
            match accept(&acting_on, &phone_number_id, &body) {
                Ok(answer) => HttpResponse::Ok().json(answer),
                Err(refusal) => refusal.answer(&trace),
            }
        },
    )
    .await
}

fn accept(state: &State, phone_number_id: &str, body: &[u8]) -> Result<Value, Refusal> {
    let invalid = |what: &str| Refusal::new(400, 100, format!("(#100) Invalid parameter: {what}"));
    let send: Send = serde_json::from_slice(body).map_err(|error| invalid(&error.to_string()))?;
    if send.messaging_product.as_deref() != Some("whatsapp") {
        return Err(invalid("messaging_product"));
    }
    let input = send.to.clone().ok_or_else(|| invalid("to"))?;
    let wa_id = digits(&input);
    if !(8..=15).contains(&wa_id.len()) {
        return Err(Refusal::new(
            400,
            131_009,
            "(#131009) Parameter value is not valid",
        ));
    }
    let text = text_of(state, phone_number_id, &send)?;
    let id = format!("wamid.{}", state.ids.next("HBgL", 40));
    let now = clock::now();
    let details = json!({
        "phone_number_id": phone_number_id,
        "biz_opaque_callback_data": send.biz_opaque_callback_data,
        "template": send.template.as_ref().map(|template| &template.name),
    });
    let failing = locked(&state.whatsapp).failing.get(&wa_id).copied();
    if failing.is_none() {
        let message = NewMessage {
            channel: Channel::Whatsapp,
            to: format!("+{wa_id}"),
            from: phone_number_id.to_owned(),
            subject: None,
            links: links_in_text(&text),
            text: Some(text),
            html: None,
            headers: BTreeMap::new(),
            provider_id: Some(id.clone()),
            details,
        };
        state.inbox.receive(message, now);
    }
    let taken = events::Sent {
        phone_number_id,
        wa_id: &wa_id,
        id: &id,
        data: send.biz_opaque_callback_data.as_deref(),
    };
    match failing {
        Some(code) => events::failed(state, &taken, code),
        None => events::delivered(state, &taken),
    }
    Ok(json!({
        "messaging_product": "whatsapp",
        "contacts": [{ "input": input, "wa_id": wa_id }],
        "messages": [{ "id": id, "message_status": "accepted" }],
    }))
}

fn text_of(state: &State, phone_number_id: &str, send: &Send) -> Result<String, Refusal> {
    let missing = |what: &str| {
        Refusal::new(
            400,
            131_008,
            format!("(#131008) Required parameter is missing: {what}"),
        )
    };
    if send.kind == "text" {
        return Ok(send
            .text
            .as_ref()
            .ok_or_else(|| missing("text"))?
            .body
            .clone());
    }
    if send.kind != "template" {
        let message = format!("(#131051) Message type {} is not played here", send.kind);
        return Err(Refusal::new(400, 131_051, message));
    }
    let used = send.template.as_ref().ok_or_else(|| missing("template"))?;
    let whatsapp = locked(&state.whatsapp);
    let Some(templates) = whatsapp.templates.get(phone_number_id) else {
        return Ok(used.describe());
    };
    let template = templates
        .iter()
        .find(|known| known.name == used.name && known.language == used.language.code);
    let template = template.ok_or_else(|| {
        let message = format!(
            "(#132001) Template name ({}) does not exist in the translation {}",
            used.name, used.language.code
        );
        Refusal::new(404, 132_001, message)
    })?;
    used.render(template)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_filled_only_by_as_many_parameters_as_it_has_places() {
        let filled = fill("Hi {{1}}, pay {{2}}", &["Ana", "https://t.example/1"]);
        assert_eq!(
            filled.map_err(|refusal| refusal.code).unwrap(),
            "Hi Ana, pay https://t.example/1"
        );
        assert!(fill("Hi {{1}}", &[]).is_err());
        assert!(fill("Hi", &["Ana"]).is_err());
    }
}
