//! `POST /v1/retry/policies`: a new version, which is the active one from now
//! on. Recoveries that are open keep theirs.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use domain::RetryPolicy;
use domain::policy::{ContractFields, PolicyError};
use serde_json::{Map, Value, json};

use super::PolicyView;
use crate::app::Api;
use crate::auth::AdminAccess;
use crate::conduct::body::{self, Body};
use crate::conduct::idempotency::{Reply, once};
use crate::openapi::parameters::IdempotencyKey;
use crate::openapi::words;
use crate::problem::Problem;

/// The older contract's other name for `enabled_channels`.
const ALIAS: &str = "channels";

/// Makes a new version, which is the active one from now on.
///
/// Recoveries that are open keep theirs.
#[utoipa::path(
    post,
    path = "/v1/retry/policies",
    tag = "Retry policies",
    params(IdempotencyKey),
    request_body = words::PolicyToMake,
    responses(
        (status = 200, description = "The version.", body = PolicyView),
    )
)]
pub(crate) async fn make(
    access: AdminAccess,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let policy = read(body.json()?)?;
    let (caller, tenant) = (&access.caller, access.tenant);
    let reply = once(&api, tenant, &body, caller.cause(&api), async |tx| {
        let name = &policy.document().name;
        let made = db::policies::activate(tx, tenant, name, &policy.to_json()).await?;
        let detail = json!({ "name": name, "version": made.version });
        let id = made.id.to_string();
        caller.note(tx, "policy.activated", &id, detail).await?;
        Reply::json(StatusCode::OK, &PolicyView::of(&made)?)
    });
    Ok(reply.await?.respond())
}

/// A whole policy comes under `document`; else the older fields make one.
pub(super) fn read(mut wanted: Map<String, Value>) -> Result<RetryPolicy, Problem> {
    let fault = |error: PolicyError| Problem::invalid_field(error.field, error.fault);
    if let Some(document) = wanted.get("document") {
        return RetryPolicy::from_json(document).map_err(fault);
    }
    if let Some(channels) = wanted.remove(ALIAS) {
        wanted.entry("enabled_channels").or_insert(channels);
    }
    // Read from text again, so that a fault names its field.
    let text = serde_json::to_vec(&wanted).map_err(|_| Problem::internal())?;
    let fields: ContractFields = body::read(&text)?;
    RetryPolicy::from_contract(&fields).map_err(fault)
}
