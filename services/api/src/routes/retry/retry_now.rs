//! `POST /v1/retry/attempts/{id}/retry-now`: the next step of an attempt's recovery, as
//! soon as the rules allow, in the older contract's words.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use chrono::{DateTime, Utc};
use domain::id::AttemptId;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::which::Which;
use crate::app::Api;
use crate::auth::AdminAccess;
use crate::conduct::body::Body;
use crate::conduct::idempotency::{Reply, once};
use crate::openapi::parameters::IdempotencyKey;
use crate::openapi::words;
use crate::problem::Problem;
use crate::routes::recoveries;
use crate::routes::recoveries::asked::{NotPlanned, planned};

/// The step that is taken next.
#[derive(Serialize, ToSchema)]
#[schema(as = AttemptRetried)]
pub(crate) struct RetriedView {
    /// What was done, in words.
    #[schema(example = "The next attempt is planned")]
    message: &'static str,
    /// The step that is taken next: the one that waited, or a new one.
    #[schema(value_type = words::AttemptId)]
    attempt_id: AttemptId,
    /// When it is due: now, or as soon as the rules allow.
    next_retry_at: DateTime<Utc>,
}

/// Takes the next step of an attempt's recovery as soon as the rules allow.
///
/// `/v1/recoveries/{id}/retry-now` does the same, and tells what the step waits for.
#[utoipa::path(
    post,
    path = "/v1/retry/attempts/{id}/retry-now",
    tag = "Attempts",
    params(
        IdempotencyKey,
        ("id" = words::AttemptOrLinkId, Path, description = "The attempt, or the link."),
    ),
    responses(
        (status = 200, description = "The step that is taken next.", body = RetriedView),
        (status = 400, description = "No step is left."),
        (status = 404, description = "There is no such attempt."),
        (status = 409, description = "The recovery ended, is paused, or an attempt is being made."),
    )
)]
pub(crate) async fn retry(
    access: AdminAccess,
    id: Path<String>,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let (tenant, caller) = (access.tenant, &access.caller);
    let reply = once(&api, tenant, &body, caller.cause(&api), async |tx| {
        let which = Which::found(tx.conn(), tenant, &id).await?;
        let recovery = recoveries::open(tx, tenant, which.recovery()).await?;
        let now = tx.now();
        let step = planned(tx, &recovery, now).await.map_err(|why| match why {
            NotPlanned::NoStep(words) => Problem::cannot("attempt", words),
            NotPlanned::Problem(problem) => problem,
        })?;
        let (object, detail) = (recovery.id.to_string(), json!({ "attempt_id": *id }));
        caller.note(tx, "recovery.retried", &object, detail).await?;
        let (attempt_id, next_retry_at) = step.step();
        let view = RetriedView {
            message: "The next attempt is planned",
            attempt_id,
            next_retry_at,
        };
        Reply::json(StatusCode::OK, &view)
    });
    Ok(reply.await?.respond())
}
