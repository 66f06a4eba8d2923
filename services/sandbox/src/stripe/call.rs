//! One call being carried out on one account, and what follows from it.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::account::Account;
use super::events;
use crate::ids::Ids;
use crate::ledger::{Attempt, Initiator};
use crate::state::State;
use crate::webhooks::Event;

/// What a call leaves behind besides its answer.
#[derive(Default)]
pub(crate) struct Effects {
    pub(crate) events: Vec<Event>,
    pub(crate) attempts: Vec<Attempt>,
}

impl Effects {
    /// Writes them down.
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
    pub(crate) request_id: Option<String>,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) account: &'a mut Account,
    pub(crate) effects: Effects,
}

impl<'a> Call<'a> {
    /// A call that did not come over the API.
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
            request_id: None,
            idempotency_key: None,
            account,
            effects: Effects::default(),
        }
    }

    /// Notes an event of `kind` about `object`; returns its id.
    pub(crate) fn emit(&mut self, kind: &str, object: &Value) -> String {
        let event = events::event(self, kind, object);
        let id = event.id.clone();
        self.effects.events.push(event);
        id
    }
}
