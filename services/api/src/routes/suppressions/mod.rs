//! Addresses that must not be written to.

pub(crate) mod add;
pub(crate) mod lift;
pub(crate) mod list;

use chrono::{DateTime, Utc};
use db::suppressions::StoredSuppression;
use domain::id::SuppressionId;
use domain::{Channel, SuppressionReason};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::address_page::shown;
use crate::auth::Caller;
use crate::openapi::words;

#[derive(OpenApi)]
#[openapi(paths(list::list, add::add, lift::lift))]
pub(crate) struct Documented;

/// An address that must not be written to, for one reason.
#[derive(Serialize, ToSchema)]
#[schema(as = Suppression)]
struct SuppressionView {
    #[schema(value_type = words::SuppressionId)]
    id: SuppressionId,
    #[schema(value_type = words::Channel)]
    channel: Channel,
    /// Whole for administrators, masked for others.
    #[schema(example = "a***@example.com")]
    address: String,
    #[schema(value_type = words::SuppressionReason)]
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
