//! What every PSP's webhook goes through: verified over the raw bytes, read,
//! and given its one effect in one transaction.

use std::borrow::Cow;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, TimeDelta, Utc};
use domain::Provider;
use domain::id::ConnectionId;
use psp::webhook::{
    self, STRIPE_TOLERANCE_SECONDS, SignatureError, verify_razorpay, verify_stripe,
};
use secrecy::SecretString;
use serde_json::Value;

use super::Received;
use super::take_in::take_in;
use crate::app::Api;
use crate::conduct::observe;
use crate::problem::Problem;
use crate::vault::WebhookKeys;

/// Longest id of an event, in characters: it is a key.
const LONGEST_EVENT_ID: usize = 255;

/// Whom a webhook is for.
pub(super) enum Addressee {
    /// The connection in its path.
    Connection(ConnectionId),
    /// Whoever has the account that its body names.
    Account,
}

/// A webhook as it came.
pub(super) struct Delivery<'a> {
    provider: Provider,
    signature: &'a str,
    event_id: Option<&'a str>,
    body: &'a [u8],
}

impl<'a> Delivery<'a> {
    pub(super) fn new(
        provider: Provider,
        request: &'a HttpRequest,
        signature: &str,
        event_id: Option<&str>,
        body: &'a [u8],
    ) -> Self {
        let header = |name: &str| request.headers().get(name)?.to_str().ok();
        Self {
            provider,
            signature: header(signature).unwrap_or_default(),
            event_id: event_id.and_then(header),
            body,
        }
    }

    fn verify(&self, secrets: &[SecretString], now: DateTime<Utc>) -> Result<(), SignatureError> {
        let tolerance = TimeDelta::seconds(STRIPE_TOLERANCE_SECONDS);
        match self.provider {
            Provider::Stripe => verify_stripe(self.signature, self.body, secrets, now, tolerance),
            Provider::Razorpay => verify_razorpay(self.signature, self.body, secrets),
        }
    }
}

/// Takes a webhook in. 200 says that it is committed, or was before.
pub(super) async fn receive(
    api: &Data<Api>,
    to: Addressee,
    delivery: &Delivery<'_>,
) -> Result<HttpResponse, Problem> {
    let now = api.backbone.clock.now();
    let keys = match to {
        Addressee::Connection(id) => of_connection(api, id, delivery, now).await?,
        Addressee::Account => of_account(api, delivery, now).await?,
    };
    observe::about_organization(keys.tenant.organization());
    api.limiter.of_webhook(keys.connection).await?;
    let body = without_zeros(delivery.body);
    let incoming = webhook::parse(delivery.provider, delivery.event_id, &body)
        .map_err(|error| Problem::webhook_body(&error))?;
    if incoming.event_id.chars().count() > LONGEST_EVENT_ID {
        return Err(Problem::invalid_field("event_id", "is too long"));
    }
    let body: Value = serde_json::from_slice(&body)
        .map_err(|error| Problem::malformed_body(format!("is not JSON: {error}")))?;
    let status = take_in(api, &keys, incoming, body).await?;
    Ok(HttpResponse::Ok().json(Received { status }))
}

async fn of_connection(
    api: &Api,
    id: ConnectionId,
    delivery: &Delivery<'_>,
    now: DateTime<Utc>,
) -> Result<WebhookKeys, Problem> {
    let provider = delivery.provider;
    let find = || api.vault.webhook_keys(&api.backbone.db, provider, id, now);
    let Some(keys) = find().await? else {
        // As much work as for a known one, so that time does not tell them apart.
        let _refused = delivery.verify(&["unknown".into()], now);
        return Err(Problem::not_found("connection"));
    };
    match delivery.verify(&keys.secrets, now) {
        Ok(()) => return Ok(keys),
        Err(SignatureError::Wrong) if api.vault.doubt(id, now) => {}
        Err(error) => return Err(Problem::webhook_signature(&error)),
    }
    // The secret may have been replaced since it was opened.
    let keys = find()
        .await?
        .ok_or_else(|| Problem::not_found("connection"))?;
    match delivery.verify(&keys.secrets, now) {
        Ok(()) => Ok(keys),
        Err(error) => Err(Problem::webhook_signature(&error)),
    }
}

/// The account in the body is unverified: it chooses whose secrets are tried,
/// and nothing else.
async fn of_account(
    api: &Api,
    delivery: &Delivery<'_>,
    now: DateTime<Utc>,
) -> Result<WebhookKeys, Problem> {
    let provider = delivery.provider;
    // Whatever the body says: who does not sign is not told what it lacks.
    if delivery.signature.is_empty() {
        return Err(Problem::webhook_signature(&SignatureError::Missing));
    }
    let Some(account) = webhook::account_hint(provider, delivery.body) else {
        return Err(Problem::not_found(
            "connection: the body names no account, so send it to the path with the connection's id",
        ));
    };
    let db = &api.backbone.db;
    let found = api
        .vault
        .webhook_keys_of_account(db, provider, &account, now)
        .await?;
    let mut refused = None;
    for keys in found {
        match delivery.verify(&keys.secrets, now) {
            Ok(()) => return Ok(keys),
            Err(error) => refused = Some(error),
        }
    }
    Err(refused.map_or_else(
        || Problem::not_found("connection"),
        |error| Problem::webhook_signature(&error),
    ))
}

/// Postgres keeps no zero characters, and a PSP's text may hold one.
fn without_zeros(body: &[u8]) -> Cow<'_, [u8]> {
    let zero = br"\u0000";
    if !body.windows(zero.len()).any(|six| six == zero) {
        return Cow::Borrowed(body);
    }
    let text = String::from_utf8_lossy(body);
    Cow::Owned(text.replace(r"\u0000", r"\ufffd").into_bytes())
}
