//! A link as its merchant sees it. Its token is not in it: who may pass links on
//! gets it where one is made, and by `GET /v1/recoveries/by_ref/{ref}`.

use chrono::{DateTime, Utc};
use db::links::{Listed, StoredLink};
use domain::id::{AttemptId, RecoveryId, RecoveryLinkId};
use domain::{LinkState, TransactionRef};
use serde::Serialize;
use utoipa::ToSchema;

use crate::openapi::words;

/// A payer's way to pay without logging in.
#[derive(Serialize, ToSchema)]
#[schema(as = ListedLink)]
pub(crate) struct LinkView {
    /// The link.
    #[schema(value_type = words::RecoveryLinkId)]
    id: RecoveryLinkId,
    /// What it pays for.
    #[schema(value_type = words::RecoveryId)]
    recovery_id: RecoveryId,
    /// The merchant's own reference of what is owed.
    #[schema(value_type = String, min_length = 1, max_length = 64, example = "order-1042")]
    transaction_ref: TransactionRef,
    /// The attempt that sent it, unless the merchant asked for it.
    #[schema(value_type = Option<words::AttemptId>)]
    attempt_id: Option<AttemptId>,
    /// How it reaches the payer: a channel, or `link` where the merchant passes it on.
    #[schema(example = "email")]
    channel: String,
    /// Where it stands. A link whose time has passed is expired.
    #[schema(value_type = words::LinkState)]
    state: LinkState,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// Until when it can be paid through.
    expires_at: DateTime<Utc>,
    /// When the payer first opened it.
    opened_at: Option<DateTime<Utc>>,
    /// When the payer had paid through it.
    used_at: Option<DateTime<Utc>>,
}

impl LinkView {
    pub(super) fn new(listed: Listed) -> Self {
        let Listed {
            link,
            transaction_ref,
            used_at,
        } = listed;
        Self {
            used_at,
            ..Self::of(link, transaction_ref)
        }
    }

    /// A link that was not paid through.
    pub(super) fn of(link: StoredLink, transaction_ref: TransactionRef) -> Self {
        Self {
            id: link.id,
            recovery_id: link.recovery,
            transaction_ref,
            attempt_id: link.attempt,
            channel: link.channel,
            state: link.state,
            created_at: link.created_at,
            expires_at: link.expires_at,
            opened_at: link.opened_at,
            used_at: None,
        }
    }
}
