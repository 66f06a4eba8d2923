//! WhatsApp template messages by the Cloud API
//! (<https://developers.facebook.com/docs/whatsapp/cloud-api/messages/template-messages>).
//!
//! The API neither takes an idempotency key nor lists what was sent, so a
//! hand-over that is unclear stays unconfirmed. Its receipts carry our
//! notification's id (`biz_opaque_callback_data`) and may settle it later.

use chrono::{DateTime, Utc};
use circuit::Heard;
use db::notifications::Letter;
use domain::PhoneNumber;
use domain::consent::whatsapp_suppression;
use reqwest::Client;
use runtime::outgoing::Call;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::{Value, json};
use tracing::Instrument as _;
use url::Url;
use wording::{BuiltIn, Facts, Link, Stored, Used, Wording, Written};

use super::provider::{Answer, NoAnswer, not_set_up};
use super::{Courier, LookUp, Outcome, Refusal, Unwritable, without_addresses};
use crate::settings::WhatsAppNumber;

const NAME: &str = "WhatsApp";
/// The Graph API's version that requests and answers are written for.
const VERSION: &str = "v20.0";

pub(crate) struct WhatsApp {
    pub(crate) client: Client,
    pub(crate) base: Url,
    pub(crate) wording: Wording,
    /// The operator's own template, and the languages that it is approved in.
    pub(crate) template: String,
    pub(crate) languages: Vec<BuiltIn>,
    pub(crate) number: Option<WhatsAppNumber>,
}

#[derive(Deserialize)]
struct Accepted {
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    id: String,
}

#[derive(Deserialize)]
struct Failed {
    error: Fault,
}

#[derive(Deserialize)]
struct Fault {
    code: u32,
    message: String,
}

impl WhatsApp {
    fn number(&self) -> Result<&WhatsAppNumber, Refusal> {
        self.number
            .as_ref()
            .ok_or_else(|| not_set_up(NAME, "WHATSAPP_TOKEN"))
    }

    async fn post(&self, number: &WhatsAppNumber, body: &Value) -> Result<Answer, NoAnswer> {
        let base = self.base.as_str().trim_end_matches('/');
        let url = format!("{base}/{VERSION}/{}/messages", number.phone_number_id);
        let request = self
            .client
            .post(url)
            .bearer_auth(number.token.expose_secret())
            .json(body);
        Answer::of(request.send().await, NAME).await
    }
}

impl Courier for WhatsApp {
    type Message = Value;
    type Ready = Value;

    const PROVIDER: &'static str = "whatsapp";
    const RECEIVER: &'static str = NAME;

    fn write(
        &self,
        letter: &Letter,
        facts: &Facts,
        own: Stored,
        _now: DateTime<Utc>,
    ) -> Result<(Value, Used), Unwritable> {
        let to = PhoneNumber::parse(&letter.address)
            .map_err(|_| Unwritable::Content("the stored number is not one".to_owned()))?;
        let Written { words, used } = self.wording.whatsapp(facts, own, &self.languages)?;
        let parameters: Vec<Value> = words
            .parameters
            .iter()
            .map(|text| json!({ "type": "text", "text": text }))
            .collect();
        let message = json!({
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": to.expose(),
            "type": "template",
            "template": {
                "name": words.template.as_ref().unwrap_or(&self.template),
                "language": { "code": words.language_code },
                "components": [{ "type": "body", "parameters": parameters }],
            },
            "biz_opaque_callback_data": letter.id.to_string(),
        });
        Ok((message, used))
    }

    async fn prepare(&self, message: Value) -> Result<Value, Refusal> {
        self.number().map(|_| message)
    }

    async fn undo(&self, _message: Value) {}

    async fn hand_over(&self, message: Value) -> Outcome {
        let number = match self.number() {
            Ok(number) => number,
            Err(refusal) => return Outcome::Refused(refusal),
        };
        let span = tracing::info_span!(
            "whatsapp.send",
            otel.kind = "client",
            peer.service = "whatsapp"
        );
        let call = Call::start(Self::PROVIDER, "send");
        let outcome = match self.post(number, &message).instrument(span).await {
            Ok(answer) => judge(&answer),
            Err(NoAnswer::Unreached(why)) => Outcome::Refused(Refusal::trouble(why)),
            Err(NoAnswer::Lost(why)) => Outcome::Unclear(why),
        };
        call.finish(super::word(&outcome));
        outcome
    }

    async fn look_up(&self, _letter: &Letter, _link: &Link) -> LookUp {
        LookUp::Impossible
    }
}

/// What an answer means
/// (<https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes>).
fn judge(answer: &Answer) -> Outcome {
    if answer.status.is_success() {
        let id = answer
            .json::<Accepted>()
            .and_then(|accepted| accepted.messages.into_iter().next())
            .map(|message| message.id);
        return Outcome::Accepted(id);
    }
    let fault = answer.json::<Failed>().map(|failed| failed.error);
    let said = fault.as_ref().map_or_else(
        || format!("{NAME} answered {}", answer.status.as_u16()),
        |fault| {
            format!(
                "{NAME} error {}: {}",
                fault.code,
                without_addresses(&fault.message)
            )
        },
    );
    let code = fault.map(|fault| fault.code);
    // Not there in this language, not approved, paused, or of other parameters.
    if let Some(132_000 | 132_001 | 132_005 | 132_007 | 132_012 | 132_015 | 132_016) = code {
        return Outcome::TemplateRefused(said);
    }
    // Too many calls to one payer, which says nothing of the others.
    if code == Some(131_056) {
        let heard = Heard::Well;
        return Outcome::Refused(Refusal::ForNow { why: said, heard });
    }
    // Too many calls of the app (4, 80007), of the number (130429), too much spam
    // (131048); away for a moment (131016).
    let passing = matches!(code, Some(4 | 80_007 | 130_429 | 131_016 | 131_048));
    // A token that has expired or lacks a permission (0, 10, 190, 200–299).
    let operators = matches!(code, Some(0 | 10 | 190 | 200..=299));
    if operators {
        let heard = Heard::StayAway(None);
        return Outcome::Refused(Refusal::ForNow { why: said, heard });
    }
    if passing || answer.refuses_everything() {
        return Outcome::Refused(answer.refusal_for_now(said));
    }
    if answer.status.is_server_error() {
        return Outcome::Unclear(said);
    }
    let suppress = code.and_then(whatsapp_suppression);
    Outcome::Refused(Refusal::ForGood {
        why: said,
        suppress,
    })
}
