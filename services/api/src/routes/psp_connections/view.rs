//! A connection as JSON, without its secrets.

use chrono::{DateTime, Utc};
use db::connections::Managed;
use domain::Provider;
use domain::id::ConnectionId;
use domain::state::{ConnectionCheck, KeyMode};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::Api;
use crate::openapi::words;

/// A merchant's account at a PSP.
#[derive(Serialize, ToSchema)]
#[schema(as = PspConnection)]
pub(crate) struct ConnectionView {
    /// The connection.
    #[schema(value_type = words::ConnectionId)]
    id: ConnectionId,
    /// Which PSP.
    #[schema(value_type = words::Provider)]
    provider: Provider,
    /// The account's id at the PSP.
    #[schema(example = "acct_1NcXyz2eZvKYlo2C")]
    account_id: String,
    /// What its merchant calls it.
    #[schema(example = "Shop in Pune")]
    name: Option<String>,
    /// Whether its key moves money: `live` or `test`.
    #[schema(value_type = Option<words::KeyMode>)]
    mode: Option<KeyMode>,
    /// The last characters of the key.
    #[schema(example = "4242")]
    credentials_hint: Option<String>,
    /// What the PSP last said of the credentials: `verified`, `refused`,
    /// `unreachable` (it could not be asked) or `unverified` (it was not asked yet).
    #[schema(value_type = words::ConnectionCheck)]
    status: ConnectionCheck,
    /// When it said so.
    checked_at: Option<DateTime<Utc>>,
    /// Where the PSP has to send its webhooks: to be set at the PSP.
    #[schema(
        example = "https://pay.example.com/v1/webhooks/stripe/con_019ac3f08a7e7d31b5c24f0e6a1d9b27"
    )]
    webhook_url: String,
    /// Until when a webhook secret verifies that was replaced.
    older_webhook_secret_until: Option<DateTime<Utc>>,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it was last changed.
    updated_at: DateTime<Utc>,
    /// Since when no recovery is opened over it.
    ended_at: Option<DateTime<Utc>>,
}

impl ConnectionView {
    pub(super) fn new(stored: Managed, api: &Api) -> Self {
        let now = api.backbone.clock.now();
        let path = format!("/v1/webhooks/{}/{}", stored.provider, stored.id);
        Self {
            id: stored.id,
            provider: stored.provider,
            account_id: stored.account_id,
            name: stored.name,
            mode: stored.mode,
            credentials_hint: stored.hint,
            status: stored.check,
            checked_at: stored.checked_at,
            webhook_url: api.public_url(&path).to_string(),
            older_webhook_secret_until: stored.older_secrets_until.filter(|until| *until > now),
            created_at: stored.created_at,
            updated_at: stored.updated_at,
            ended_at: stored.ended_at,
        }
    }
}
