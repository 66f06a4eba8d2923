//! `POST /v1/webhook-endpoints`: its secret is in the answer, this once.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use db::Tx;
use db::partners::NewEndpoint;
use domain::id::WebhookEndpoint;
use domain::partner::{EventFilter, SignatureKind};
use partners::SigningKey;
use rand::{SeedableRng, rngs::StdRng};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::asked::{Read, Said};
use super::view::{EndpointView, SecretView};
use crate::app::Api;
use crate::auth::AdminAccess;
use crate::conduct::body::Body;
use crate::conduct::idempotency::{Reply, once};
use crate::openapi::parameters::IdempotencyKey;
use crate::openapi::words;
use crate::problem::Problem;

/// Most endpoints of an organization.
const MOST: i64 = 20;

/// A webhook endpoint to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewWebhookEndpoint)]
pub(crate) struct Wanted {
    /// Where events are sent: https, on the open internet.
    #[schema(max_length = 2048, example = "https://partner.example/webhooks")]
    url: String,
    /// The owner's own words.
    #[serde(default)]
    #[schema(max_length = 512)]
    description: String,
    /// What to send: `*`, prefixes such as `recovery.*`, and types; everything when absent.
    #[schema(min_items = 1, max_items = 32, example = json!(["recovery.*"]))]
    event_types: Option<Vec<String>>,
    /// How to sign; HMAC when absent.
    #[serde(default = "usual_signature")]
    #[schema(value_type = words::SignatureKind, default = "hmac")]
    signature: SignatureKind,
    /// Whether to send at once.
    #[serde(default = "yes")]
    #[schema(default = true)]
    enabled: bool,
}

const fn usual_signature() -> SignatureKind {
    SignatureKind::Hmac
}

const fn yes() -> bool {
    true
}

/// Makes a webhook endpoint.
///
/// Its secret is in the answer, this once.
#[utoipa::path(
    post,
    path = "/v1/webhook-endpoints",
    tag = "Webhook endpoints",
    params(IdempotencyKey),
    request_body = Wanted,
    responses(
        (status = 201, description = "It is made.", body = SecretView),
        (status = 409, description = "The organization has as many as it can, or the first request with this key is still being worked on."),
    )
)]
pub(crate) async fn make(
    access: AdminAccess,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let wanted: Wanted = body.json()?;
    let said = Said {
        url: Some(&wanted.url),
        description: Some(&wanted.description),
        event_types: wanted.event_types.as_deref(),
    };
    let read = said.read(&api).await?;
    let cause = access.caller.cause(&api);
    let reply = once(&api, access.tenant, &body, cause, async |tx| {
        wanted.add(tx, &access, &api, read).await
    });
    Ok(reply.await?.respond())
}

impl Wanted {
    async fn add(
        &self,
        tx: &mut Tx,
        access: &AdminAccess,
        api: &Api,
        read: Read,
    ) -> Result<Reply, Problem> {
        let tenant = access.tenant;
        let id = tx.new_id::<WebhookEndpoint>();
        let (key, sealed) = new_key(api, access, id, self.signature)?;
        let filter = read.filter.unwrap_or_else(EventFilter::everything);
        let public_key = key.public();
        let new = NewEndpoint {
            id,
            url: read.url.as_ref().map_or("", |url| url.as_str()),
            description: read.description.as_deref().unwrap_or_default(),
            filter: &filter,
            signature: self.signature,
            key_sealed: &sealed,
            public_key: public_key.as_deref(),
            enabled: self.enabled,
        };
        let made = db::partners::add(tx, tenant, &new, MOST).await?;
        let made = made.ok_or_else(|| {
            let fault = format!("there are {MOST}; delete one first");
            Problem::conflict("webhook_endpoints", fault)
        })?;
        // Neither its query nor its path: they may hold what the partner knows callers by.
        let host = read.url.as_ref().and_then(|url| url.url().host_str());
        let detail = json!({
            "host": host, "event_types": filter.patterns(), "signature": self.signature,
        });
        let object = id.to_string();
        let caller = &access.caller;
        caller
            .note(tx, "webhook_endpoint.made", &object, detail)
            .await?;
        let now = tx.now();
        Reply::secret(
            StatusCode::CREATED,
            &shown(EndpointView::new(made, now), &key),
        )
    }
}

/// A new key for an endpoint, and what its row keeps of it.
pub(super) fn new_key(
    api: &Api,
    access: &AdminAccess,
    id: domain::id::WebhookEndpointId,
    kind: SignatureKind,
) -> Result<(SigningKey, Vec<u8>), Problem> {
    let mut rng = StdRng::from_rng(&mut api.backbone.db.fork_rng());
    let key = SigningKey::generate(kind, &mut rng);
    let endpoint = (access.tenant.organization(), id);
    let sealed = key
        .seal(&api.keyring, endpoint, &mut rng)
        .map_err(|error| {
            tracing::error!(%error, "a signing key was not sealed; answered with 500");
            Problem::internal()
        })?;
    Ok((key, sealed))
}

/// The endpoint with what verifies its webhooks.
pub(super) fn shown(endpoint: EndpointView, key: &SigningKey) -> SecretView {
    let secret = match key {
        SigningKey::Hmac(_) => Some(key.text().expose_secret().to_owned()),
        SigningKey::Ed25519(_) => None,
    };
    SecretView { endpoint, secret }
}
