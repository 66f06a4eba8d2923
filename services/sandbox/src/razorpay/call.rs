//! One call being carried out on one account, and what follows from it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::account::Account;
use crate::ids::Ids;
use crate::ledger::{Attempt, Initiator};
use crate::state::State;
use crate::webhooks::{Event, Payload, Provider};

/// What a call leaves behind besides its answer.
#[derive(Default)]
pub(crate) struct Effects {
    pub(crate) events: Vec<Event>,
    pub(crate) attempts: Vec<Attempt>,
}

impl Effects {
    pub(crate) fn write(self, state: &State) {
        state.ledger.record(self.attempts);
        for event in &self.events {
            state.webhooks.emit(event);
        }
    }
}

pub(crate) struct Call<'a> {
    pub(crate) now: DateTime<Utc>,
    pub(crate) ids: &'a Ids,
    pub(crate) public_url: &'a str,
    pub(crate) initiator: Initiator,
    pub(crate) account: &'a mut Account,
    pub(crate) effects: Effects,
}

/// An object as Razorpay answers it.
pub(crate) fn shown<T: Serialize>(object: &T) -> Value {
    // These types have string keys only, so that writing them cannot fail.
    serde_json::to_value(object).unwrap_or_default()
}

impl<'a> Call<'a> {
    pub(crate) fn new(
        state: &'a State,
        account: &'a mut Account,
        now: DateTime<Utc>,
        initiator: Initiator,
    ) -> Self {
        Self {
            now,
            ids: &state.ids,
            public_url: &state.public_url,
            initiator,
            account,
            effects: Effects::default(),
        }
    }

    /// Notes an event about the named entities; returns its id.
    pub(crate) fn emit(&mut self, kind: &str, entities: &[(&str, Value)]) -> String {
        let id = self.ids.razorpay("");
        let names: Vec<&str> = entities.iter().map(|(name, _)| *name).collect();
        let payload: Map<String, Value> = entities
            .iter()
            .map(|(name, entity)| ((*name).to_owned(), json!({ "entity": entity })))
            .collect();
        let body = json!({
            "entity": "event",
            "account_id": self.account.id,
            "event": kind,
            "contains": names,
            "payload": payload,
            "created_at": self.now.timestamp(),
        });
        self.effects.events.push(Event {
            id: id.clone(),
            provider: Provider::Razorpay,
            kind: kind.to_owned(),
            account: self.account.id.clone(),
            created: self.now,
            payload: Payload::Json(body),
        });
        id
    }
}
