//! A payer's message to a number of the account's.

use serde::Deserialize;

use super::Behaviour;
use crate::clock;
use crate::state::{State, locked};
use crate::webhooks::{Event, Payload, Provider};

/// What the payer sends.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Inbound {
    pub(crate) account_sid: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) body: String,
}

/// Delivers it to the account's webhook; answers the event's id. A number that said STOP takes no
/// message until it says START, as at Twilio.
pub(crate) fn receive(state: &State, inbound: Inbound) -> String {
    let word = inbound.body.trim().to_ascii_uppercase();
    let now_is = match word.as_str() {
        "STOP" | "STOPALL" | "UNSUBSCRIBE" | "CANCEL" | "END" | "QUIT" => {
            Some(Behaviour::Unsubscribed)
        }
        "START" | "YES" | "UNSTOP" => Some(Behaviour::Ok),
        _ => None,
    };
    if let Some(behaviour) = now_is {
        locked(&state.twilio).set_number(&inbound.from, behaviour);
    }
    let sid = state.ids.twilio("SM");
    let fields = [
        ("AccountSid", inbound.account_sid.as_str()),
        ("ApiVersion", "2010-04-01"),
        ("Body", &inbound.body),
        ("From", &inbound.from),
        ("MessageSid", &sid),
        ("NumMedia", "0"),
        ("NumSegments", "1"),
        ("SmsMessageSid", &sid),
        ("SmsSid", &sid),
        ("SmsStatus", "received"),
        ("To", &inbound.to),
    ];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let event = Event {
        id: state.ids.twilio("EV"),
        provider: Provider::Twilio,
        kind: "message.received".to_owned(),
        account: inbound.account_sid,
        created: clock::now(),
        payload: Payload::Form(fields.to_vec()),
    };
    state.webhooks.emit(&event);
    event.id
}
