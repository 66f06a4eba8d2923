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
use utoipa::{OpenApi, ToSchema};

use super::address_page::shown;
use crate::auth::Caller;
use crate::openapi::words;

#[derive(OpenApi)]
#[openapi(paths(list::list, put::put, changes::list, required::show, required::put))]
pub(crate) struct Documented;

/// What a payer said to being written to.
#[derive(Serialize, ToSchema)]
#[schema(as = Consent)]
pub(crate) struct ConsentView {
    #[schema(value_type = words::ConsentId)]
    id: ConsentId,
    #[schema(value_type = words::Channel)]
    channel: Channel,
    /// Whole for administrators, masked for others.
    address: String,
    #[schema(value_type = words::ConsentState)]
    state: ConsentState,
    /// Where it was said.
    source: String,
    #[schema(required)]
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
