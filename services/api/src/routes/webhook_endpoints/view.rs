//! An endpoint as it is shown.

use chrono::{DateTime, Utc};
use db::partners::StoredEndpoint;
use domain::id::WebhookEndpointId;
use domain::partner::SignatureKind;
use serde::Serialize;
use utoipa::ToSchema;

use crate::openapi::words;

/// An address at which a partner hears of events.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookEndpoint)]
pub(crate) struct EndpointView {
    #[schema(value_type = words::WebhookEndpointId)]
    id: WebhookEndpointId,
    #[schema(example = "https://partner.example/webhooks")]
    url: String,
    description: String,
    /// `*`, prefixes such as `recovery.*`, and types.
    #[schema(example = json!(["recovery.*"]))]
    event_types: Vec<String>,
    /// How its webhooks are signed, by Standard Webhooks.
    #[schema(value_type = words::SignatureKind)]
    signature: SignatureKind,
    /// What verifies Ed25519 signatures; null for HMAC.
    #[schema(
        required,
        example = "whpk_NJGBh+ezEpqxXyTsQkPbE6zu5wWRLsPnzsN9vo6Jevs="
    )]
    public_key: Option<String>,
    /// Whether it is sent to.
    enabled: bool,
    /// Why it is not, where Tinko disabled it.
    #[schema(required)]
    disabled_reason: Option<String>,
    /// Failures since the last success.
    failures: u32,
    /// Since when nothing has succeeded.
    #[schema(required)]
    failing_since: Option<DateTime<Utc>>,
    /// Nothing is sent before, after too many failures.
    #[schema(required)]
    paused_until: Option<DateTime<Utc>>,
    /// Until when its webhooks are signed with the secret before, too.
    #[schema(required)]
    old_secret_until: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl EndpointView {
    pub(super) fn new(endpoint: StoredEndpoint, now: DateTime<Utc>) -> Self {
        let old_until = endpoint.old_key.map(|(_, until)| until);
        Self {
            id: endpoint.id,
            url: endpoint.url,
            description: endpoint.description,
            event_types: endpoint.filter.patterns().to_vec(),
            signature: endpoint.signature,
            public_key: endpoint.public_key,
            enabled: endpoint.enabled,
            disabled_reason: endpoint.disabled_reason,
            failures: endpoint.health.failures,
            failing_since: endpoint.health.failing_since,
            paused_until: endpoint.health.paused_until.filter(|until| *until > now),
            old_secret_until: old_until.filter(|until| *until > now),
            created_at: endpoint.created_at,
            updated_at: endpoint.updated_at,
        }
    }
}

/// An endpoint with its secret, which is shown this once.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookEndpointWithSecret)]
pub(crate) struct SecretView {
    #[serde(flatten)]
    pub(super) endpoint: EndpointView,
    /// What verifies HMAC signatures; null for Ed25519, whose private key stays here.
    #[schema(required, example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    pub(super) secret: Option<String>,
}
