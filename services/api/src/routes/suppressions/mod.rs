//! Addresses that must not be written to.

pub(crate) mod add;
pub(crate) mod lift;
pub(crate) mod list;

use chrono::{DateTime, Utc};
use db::suppressions::StoredSuppression;
use domain::id::SuppressionId;
use domain::{Channel, SuppressionReason};
use serde::Serialize;

use super::address_page::shown;
use crate::auth::Caller;

#[derive(Serialize)]
struct SuppressionView {
    id: SuppressionId,
    channel: Channel,
    address: String,
    reason: SuppressionReason,
    created_at: DateTime<Utc>,
}

impl SuppressionView {
    fn new(suppression: &StoredSuppression, caller: &Caller) -> Self {
        Self {
            id: suppression.id,
            channel: suppression.address.channel(),
            address: shown(&suppression.address, caller),
            reason: suppression.reason,
            created_at: suppression.created_at,
        }
    }
}
