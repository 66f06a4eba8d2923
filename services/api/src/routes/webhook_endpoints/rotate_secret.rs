//! `POST /v1/webhook-endpoints/{id}/rotate-secret`: a new secret. Webhooks are signed with
//! both for `overlap_hours`, so that a receiver that knows either takes them.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use chrono::TimeDelta;
use db::Tx;
use db::partners::NewKey;
use domain::id::WebhookEndpointId;
use domain::partner::SignatureKind;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::make::{new_key, shown};
use super::view::{EndpointView, SecretView};
use crate::app::Api;
use crate::auth::AdminAccess;
use crate::conduct::body::Body;
use crate::conduct::idempotency::{Reply, once};
use crate::openapi::parameters::IdempotencyKey;
use crate::openapi::words;
use crate::problem::Problem;

/// Hours that both secrets sign by themselves, and at most.
const USUAL_HOURS: u32 = 24;
const MOST_HOURS: u32 = 720;

/// How to go over to a new secret.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SecretRotation)]
pub(crate) struct Wanted {
    /// Hours for which the secret before signs too; 0 ends it at once.
    #[schema(value_type = Option<u32>, maximum = 720, default = 24)]
    overlap_hours: Option<u32>,
    /// How to sign from now on; as before when absent.
    #[schema(value_type = Option<words::SignatureKind>)]
    signature: Option<SignatureKind>,
}

impl Wanted {
    /// An empty body asks for the usual.
    fn read(body: &Body) -> Result<Self, Problem> {
        let wanted: Self = if body.bytes.is_empty() {
            Self::default()
        } else {
            body.json()?
        };
        if wanted.overlap_hours.is_some_and(|hours| hours > MOST_HOURS) {
            let fault = format!("must be from 0 to {MOST_HOURS}");
            return Err(Problem::invalid_field("overlap_hours", fault));
        }
        Ok(wanted)
    }
}

/// Gives a webhook endpoint a new secret.
///
/// It is in the answer, this once. Webhooks are signed with both for a while.
#[utoipa::path(
    post,
    path = "/v1/webhook-endpoints/{id}/rotate-secret",
    tag = "Webhook endpoints",
    params(("id" = words::WebhookEndpointId, Path, description = "Which one."), IdempotencyKey),
    request_body(content = Option<Wanted>),
    responses(
        (status = 200, description = "The endpoint with its new secret.", body = SecretView),
        (status = 404, description = "There is no such endpoint."),
        (status = 409, description = "The first request with this key is still being worked on."),
    )
)]
pub(crate) async fn rotate(
    access: AdminAccess,
    id: Path<WebhookEndpointId>,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let wanted = Wanted::read(&body)?;
    let cause = access.caller.cause(&api);
    let reply = once(&api, access.tenant, &body, cause, async |tx| {
        wanted.replace(tx, &access, &api, *id).await
    });
    Ok(reply.await?.respond())
}

impl Wanted {
    async fn replace(
        &self,
        tx: &mut Tx,
        access: &AdminAccess,
        api: &Api,
        id: WebhookEndpointId,
    ) -> Result<Reply, Problem> {
        let tenant = access.tenant;
        let not_found = || Problem::not_found("webhook endpoint");
        let endpoint = db::partners::lock(tx, tenant, id).await?;
        let endpoint = endpoint.ok_or_else(not_found)?;
        let kind = self.signature.unwrap_or(endpoint.signature);
        let (key, sealed) = new_key(api, access, id, kind)?;
        let hours = self.overlap_hours.unwrap_or(USUAL_HOURS);
        let old_until = tx.now() + TimeDelta::hours(hours.into());
        let public_key = key.public();
        let new = NewKey {
            signature: kind,
            sealed: &sealed,
            public: public_key.as_deref(),
            old_until,
        };
        let rotated = db::partners::rotate(tx, tenant, id, &new).await?;
        let rotated = rotated.ok_or_else(not_found)?;
        let detail = json!({ "signature": kind, "old_secret_until": old_until });
        let (caller, object) = (&access.caller, id.to_string());
        caller
            .note(tx, "webhook_endpoint.secret_rotated", &object, detail)
            .await?;
        let now = tx.now();
        Reply::secret(
            StatusCode::OK,
            &shown(EndpointView::new(rotated, now), &key),
        )
    }
}
