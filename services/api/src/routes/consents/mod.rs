//! What payers have said to being written to.

pub(crate) mod changes;
pub(crate) mod list;
pub(crate) mod put;
pub(crate) mod required;

use chrono::{DateTime, Utc};
use db::consents::StoredConsent;
use domain::id::ConsentId;
use domain::{Channel, ConsentState};
use serde::Serialize;

use super::address_page::shown;
use crate::auth::Caller;

#[derive(Serialize)]
pub(crate) struct ConsentView {
    id: ConsentId,
    channel: Channel,
    address: String,
    state: ConsentState,
    source: String,
    evidence: Option<String>,
    at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl ConsentView {
    fn new(consent: StoredConsent, caller: &Caller) -> Self {
        Self {
            id: consent.id,
            channel: consent.address.channel(),
            address: shown(&consent.address, caller),
            state: consent.state,
            source: consent.source,
            evidence: consent.evidence,
            at: consent.at,
            updated_at: consent.updated_at,
        }
    }
}
