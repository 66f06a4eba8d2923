//! One call being carried out on one account, and what follows from it.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::account::Account;
use super::events;
use crate::ids::Ids;
use crate::ledger::{Attempt, Initiator};
use crate::webhooks::Event;

/// What a call leaves behind besides its answer.
#[derive(Default)]
pub(crate) struct Effects {
    pub(crate) events: Vec<Event>,
    pub(crate) attempts: Vec<Attempt>,
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

impl Call<'_> {
    /// Notes an event of `kind` about `object`; returns its id.
    pub(crate) fn emit(&mut self, kind: &str, object: &Value) -> String {
        let event = events::event(self, kind, object);
        let id = event.id.clone();
        self.effects.events.push(event);
        id
    }
}
