//! `PATCH /v1/recoveries/{id}/next_retry_at`: the next step at a time of somebody's
//! choice: the merchant's, or the payer's, who shows the token of a link to it.

use actix_web::http::StatusCode;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use db::{Cause, Tenant};
use domain::id::RecoveryId;
use domain::token;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::asked::{AskedView, planned};
use super::open;
use crate::app::Api;
use crate::auth::{Caller, WriteAccess};
use crate::conduct::body::{Body, time};
use crate::conduct::idempotency::{Reply, once};
use crate::openapi::parameters::IdempotencyKey;
use crate::openapi::words;
use crate::problem::Problem;

/// As the timeline names whoever holds the link.
const PAYER: &str = "payer";

/// When the next step is wanted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NextRetryAt)]
pub(crate) struct Wanted {
    /// In the future.
    #[schema(value_type = DateTime<Utc>, example = "2030-11-29T09:00:00+05:30")]
    next_retry_at: String,
}

/// Who chooses.
struct Chooser {
    tenant: Tenant,
    /// The merchant's caller; none if it is the payer.
    caller: Option<Caller>,
    cause: Cause,
}

/// Takes the next step at the time given, or as soon after it as the rules allow.
#[utoipa::path(
    patch,
    path = "/v1/recoveries/{id}/next_retry_at",
    tag = "Recoveries",
    params(IdempotencyKey, ("id" = words::RecoveryId, Path, description = "The recovery.")),
    request_body = Wanted,
    responses(
        (status = 200, description = "The step, and what makes it later than asked for.", body = AskedView),
        (status = 400, description = "It is no time, or none in the future; or the body does not read."),
        (status = 404, description = "There is no such recovery."),
        (status = 409, description = "It ended, is paused, an attempt is being made, or no step is left."),
    )
)]
pub(crate) async fn reschedule(
    access: Result<WriteAccess, Problem>,
    id: Path<RecoveryId>,
    request: HttpRequest,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let chooser = chooser(&api, access, &request, *id).await?;
    let tenant = chooser.tenant;
    let wanted: Wanted = body.json()?;
    let at = time(&wanted.next_retry_at);
    let at = at.map_err(|fault| Problem::cannot("next_retry_at", fault))?;
    if at <= chooser.cause.at {
        return Err(Problem::cannot("next_retry_at", "must be in the future"));
    }
    let reply = once(&api, tenant, &body, chooser.cause, async |tx| {
        let recovery = open(tx, tenant, *id).await?;
        let step = planned(tx, &recovery, at).await?;
        if let Some(caller) = &chooser.caller {
            let (object, detail) = (recovery.id.to_string(), json!({ "asked_for": at }));
            caller
                .note(tx, "recovery.rescheduled", &object, detail)
                .await?;
        }
        Reply::json(StatusCode::OK, &step)
    });
    Ok(reply.await?.respond())
}

async fn chooser(
    api: &Api,
    access: Result<WriteAccess, Problem>,
    request: &HttpRequest,
    id: RecoveryId,
) -> Result<Chooser, Problem> {
    match access {
        Ok(access) => Ok(Chooser {
            tenant: access.tenant,
            cause: access.caller.cause(api),
            caller: Some(access.caller),
        }),
        Err(problem) if problem.status_code() == StatusCode::UNAUTHORIZED => {
            let tenant = by_link(api, request, id).await?.ok_or(problem)?;
            Ok(Chooser {
                tenant,
                caller: None,
                cause: api.backbone.cause_by(PAYER),
            })
        }
        Err(problem) => Err(problem),
    }
}

/// Whose recovery it is, if the request shows the token of a living link to it.
async fn by_link(
    api: &Api,
    request: &HttpRequest,
    id: RecoveryId,
) -> Result<Option<Tenant>, Problem> {
    let header = request.headers().get(AUTHORIZATION);
    let bearer = header.and_then(|value| value.to_str().ok()?.split_once(' '));
    let bearer = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let Some(token) = bearer.and_then(|(_, text)| token::LinkToken::parse(text.trim()).ok()) else {
        return Ok(None);
    };
    let mut conn = api.backbone.db.read().await?;
    let link = db::links::by_token_hash(&mut conn, &token::hash(&token)).await?;
    let now = api.backbone.clock.now();
    let living =
        link.filter(|link| link.recovery == id && link.expires_at > now && link.state.is_live());
    Ok(living.map(|link| link.tenant))
}
