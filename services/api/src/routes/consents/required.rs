//! `GET` and `PUT /v1/consents/required`: the channels on which payers must have
//! opted in. See `domain::consent` for where it starts from and why.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use domain::Channel;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::app::Api;
use crate::auth::{AdminAccess, ReadAccess};
use crate::conduct::body::Body;
use crate::conduct::etag::{self, IfMatch};
use crate::openapi::parameters::IfMatchTag;
use crate::openapi::words;
use crate::problem::Problem;

/// The channels on which payers must have opted in.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConsentRequired)]
pub(crate) struct Required {
    #[schema(value_type = Vec<words::Channel>)]
    channels: Vec<Channel>,
}

/// Shows the channels on which payers must have opted in.
#[utoipa::path(
    get,
    path = "/v1/consents/required",
    tag = "Consent",
    responses(
        (status = 200, description = "The channels.", body = Required),
    )
)]
pub(crate) async fn show(access: ReadAccess, api: Data<Api>) -> Result<Json<Required>, Problem> {
    let mut conn = api.backbone.db.read().await?;
    let channels = db::consents::opt_in_channels(&mut conn, access.tenant).await?;
    Ok(Json(Required { channels }))
}

/// Sets the channels on which payers must have opted in.
#[utoipa::path(
    put,
    path = "/v1/consents/required",
    tag = "Consent",
    params(IfMatchTag),
    request_body = Required,
    responses(
        (status = 200, description = "The channels.", body = Required),
    )
)]
pub(crate) async fn put(
    access: AdminAccess,
    if_match: IfMatch,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let mut wanted: Required = body.json()?;
    wanted.channels.sort_unstable();
    wanted.channels.dedup();
    let cause = access.caller.cause(&api);
    let mut tx = api.backbone.db.begin(cause).await?;
    db::organizations::lock(&mut tx, access.tenant).await?;
    let channels = db::consents::opt_in_channels(tx.conn(), access.tenant).await?;
    if let Err(problem) = if_match.check(&Required { channels }) {
        tx.roll_back().await?;
        return Err(problem);
    }
    db::consents::require_opt_in(&mut tx, access.tenant, &wanted.channels).await?;
    let object = access.tenant.organization().to_string();
    let detail = json!({ "channels": wanted.channels });
    let action = "consent.requirement_changed";
    access.caller.note(&mut tx, action, &object, detail).await?;
    tx.commit().await?;
    tracing::info!(
        actor = access.caller.actor(),
        channels = ?wanted.channels,
        "the channels that need an opt-in were set"
    );
    etag::changed(&wanted)
}
