//! Plays Twilio's Messages resource: `/twilio/2010-04-01/Accounts/{Sid}/Messages.json`.
//!
//! An account that the control API has not opened takes the first auth token it sees as its own;
//! that token signs its status callbacks. API keys (`SK…`) are taken with any secret. Messages are
//! delivered at once: the answer to the POST says `queued`, a look-up says `delivered` (or
//! `undelivered`). Twilio's magic test numbers work. A payer's message goes to the account's
//! registered webhook; STOP and START do to the number what they do at Twilio.

mod inbound;
mod look_up;
mod refusal;
mod sending;
mod sms;

use std::collections::HashMap;

use actix_web::web;
use serde::Deserialize;

use crate::shelf::Shelf;
pub(crate) use inbound::{Inbound, receive};
use sms::Sms;

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

impl Twilio {
    pub(crate) fn open(&mut self, account: &str, auth_token: String) {
        self.tokens.insert(account.to_owned(), auth_token);
    }

    pub(crate) fn set_number(&mut self, number: &str, behaviour: Behaviour) {
        self.numbers.insert(number.to_owned(), behaviour);
    }

    /// The auth token, if the credentials are right.
    fn authorize(&mut self, account: &str, given: Option<(String, String)>) -> Option<String> {
        let (user, password) = given.filter(|(_, password)| !password.is_empty())?;
        // An API key (SK…) may stand for the account; its secret is not the auth token.
        if user.starts_with("SK") {
            return Some(self.tokens.get(account).cloned().unwrap_or(password));
        }
        let known = self
            .tokens
            .entry(account.to_owned())
            .or_insert_with(|| password.clone());
        (user == account && *known == password).then(|| known.clone())
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

pub(crate) fn routes(app: &mut web::ServiceConfig) {
    let account = "/twilio/2010-04-01/Accounts/{account}";
    app.route(
        &format!("{account}/Messages.json"),
        web::post().to(sending::create),
    )
    .route(
        &format!("{account}/Messages.json"),
        web::get().to(look_up::list),
    )
    .route(
        &format!("{account}/Messages/{{sid}}.json"),
        web::get().to(look_up::fetch),
    );
}
