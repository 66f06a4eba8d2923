//! Text messages by Twilio's Messages resource
//! (<https://www.twilio.com/docs/messaging/api/message-resource>).
//!
//! Twilio has no idempotency key, but can be asked: a message whose hand-over is
//! unclear is looked for among those to its number, by the link that only it
//! carries.

use chrono::{DateTime, Utc};
use db::notifications::Letter;
use domain::PhoneNumber;
use domain::consent::twilio_suppression;
use reqwest::{Client, RequestBuilder};
use runtime::outgoing::Call;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use tracing::Instrument as _;
use url::Url;
use wording::{Facts, Link, Stored, Used, Wording, Written};

use super::provider::{Answer, NoAnswer, not_set_up};
use super::{Courier, LookUp, Outcome, Refusal, Unwritable, without_addresses};
use crate::settings::TwilioAccount;

const NAME: &str = "Twilio";
/// How many of the newest messages to a number are looked through: far more
/// than one payer gets while a hand-over is unclear.
const LOOKED_THROUGH: &str = "50";

pub(crate) struct Sms {
    pub(crate) client: Client,
    pub(crate) wording: Wording,
    pub(crate) base: Url,
    /// Where Twilio tells what becomes of messages: the api's route.
    pub(crate) callback: Url,
    pub(crate) account: Option<TwilioAccount>,
}

pub(crate) struct Text {
    to: PhoneNumber,
    body: String,
    /// Names the message by our own id, so that a receipt finds it even if
    /// Twilio's answer, and with it Twilio's id, is lost.
    callback: Url,
    /// The organization's own sender, in place of the operator's.
    sender: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    sid: String,
    #[serde(default)]
    body: String,
}

#[derive(Deserialize)]
struct Messages {
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Fault {
    code: u32,
    message: String,
}

impl Sms {
    fn account(&self) -> Result<&TwilioAccount, Refusal> {
        self.account
            .as_ref()
            .ok_or_else(|| not_set_up("SMS", "TWILIO_ACCOUNT_SID"))
    }

    fn request(&self, account: &TwilioAccount, method: reqwest::Method) -> RequestBuilder {
        let base = self.base.as_str().trim_end_matches('/');
        let url = format!("{base}/2010-04-01/Accounts/{}/Messages.json", account.sid);
        self.client
            .request(method, url)
            .basic_auth(&account.sid, Some(account.auth_token.expose_secret()))
    }

    fn callback_of(&self, letter: &Letter) -> Url {
        let mut url = self.callback.clone();
        let id = letter.id.to_string();
        url.query_pairs_mut().append_pair("notification", &id);
        url
    }

    async fn list(&self, account: &TwilioAccount, to: &PhoneNumber) -> Result<Answer, NoAnswer> {
        let request = self
            .request(account, reqwest::Method::GET)
            .query(&[("To", to.expose()), ("PageSize", LOOKED_THROUGH)]);
        Answer::of(request.send().await, NAME).await
    }
}

impl Courier for Sms {
    type Message = Text;
    type Ready = Text;

    const PROVIDER: &'static str = "twilio";
    const RECEIVER: &'static str = NAME;

    fn write(
        &self,
        letter: &Letter,
        facts: &Facts,
        own: Stored,
        _now: DateTime<Utc>,
    ) -> Result<(Text, Used), Unwritable> {
        let Written { words, used } = self.wording.sms(facts, own)?;
        let text = Text {
            to: number(letter)?,
            callback: self.callback_of(letter),
            body: words.text,
            sender: words.sender,
        };
        Ok((text, used))
    }

    async fn prepare(&self, text: Text) -> Result<Text, Refusal> {
        self.account().map(|_| text)
    }

    async fn undo(&self, _text: Text) {}

    async fn hand_over(&self, text: Text) -> Outcome {
        let account = match self.account() {
            Ok(account) => account,
            Err(refusal) => return Outcome::Refused(refusal),
        };
        let span =
            tracing::info_span!("twilio.send", otel.kind = "client", peer.service = "twilio");
        let call = Call::start(Self::PROVIDER, "send");
        let form = [
            ("To", text.to.expose()),
            ("From", text.sender.as_ref().unwrap_or(&account.from)),
            ("Body", text.body.as_str()),
            ("StatusCallback", text.callback.as_str()),
        ];
        let request = self.request(account, reqwest::Method::POST).form(&form);
        let sending = async { Answer::of(request.send().await, NAME).await };
        let outcome = match sending.instrument(span).await {
            Ok(answer) => judge(&answer),
            Err(NoAnswer::Unreached(why)) => Outcome::Refused(Refusal::trouble(why)),
            Err(NoAnswer::Lost(why)) => Outcome::Unclear(why),
        };
        call.finish(super::word(&outcome));
        outcome
    }

    async fn look_up(&self, letter: &Letter, link: &Link) -> LookUp {
        let (Ok(account), Ok(to)) = (self.account(), number(letter)) else {
            return LookUp::Impossible;
        };
        let span = tracing::info_span!(
            "twilio.look_up",
            otel.kind = "client",
            peer.service = "twilio"
        );
        let call = Call::start(Self::PROVIDER, "look_up");
        let answer = self.list(account, &to).instrument(span).await;
        let messages = match &answer {
            Ok(answer) if answer.status.is_success() => answer.json::<Messages>(),
            _ => None,
        };
        let Some(messages) = messages else {
            call.finish("failed");
            return LookUp::Failed(format!("{NAME} could not be asked for the message"));
        };
        call.finish("ok");
        let ours = messages
            .messages
            .into_iter()
            .find(|message| message.body.contains(&link.pay));
        ours.map_or(LookUp::NotFound, |message| LookUp::Found(message.sid))
    }
}

fn number(letter: &Letter) -> Result<PhoneNumber, Unwritable> {
    PhoneNumber::parse(&letter.address)
        .map_err(|_| Unwritable::Content("the stored number is not one".to_owned()))
}

/// What an answer means (<https://www.twilio.com/docs/api/errors>).
fn judge(answer: &Answer) -> Outcome {
    if answer.status.is_success() {
        // Taken, whatever its body is like.
        let sid = answer.json::<Message>().map(|message| message.sid);
        return Outcome::Accepted(sid);
    }
    let fault = answer.json::<Fault>();
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
    if answer.refuses_everything() {
        return Outcome::Refused(answer.refusal_for_now(said));
    }
    if answer.status.is_server_error() {
        return Outcome::Unclear(said);
    }
    let suppress = fault.and_then(|fault| twilio_suppression(fault.code));
    Outcome::Refused(Refusal::ForGood {
        why: said,
        suppress,
    })
}
