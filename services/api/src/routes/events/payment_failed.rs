//! `POST /v1/events/payment_failed`: a partner reports that a payment failed.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use db::Tx;
use domain::id::{FailureEvent, FailureEventId, RecoveryId, TransactionId};
use domain::{Channel, Id};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::opt_in;
use super::report::Reported;
use crate::app::Api;
use crate::auth::WriteAccess;
use crate::conduct::body::Body;
use crate::conduct::idempotency::{Reply, once};
use crate::conduct::observe;
use crate::ingest::{self, FailureReport};
use crate::openapi::parameters::IdempotencyKey;
use crate::openapi::words;
use crate::problem::Problem;

/// Where a report went.
#[derive(Serialize, ToSchema)]
#[schema(as = FailureTaken)]
struct Taken {
    #[schema(value_type = words::FailureEventId)]
    id: FailureEventId,
    #[schema(value_type = words::TransactionId)]
    transaction_id: TransactionId,
    /// None where there is nothing to win back.
    #[schema(value_type = Option<words::RecoveryId>, required)]
    recovery_id: Option<RecoveryId>,
}

/// Reports that a payment failed.
#[utoipa::path(
    post,
    path = "/v1/events/payment_failed",
    tag = "Events",
    params(IdempotencyKey),
    request_body = Reported,
    responses(
        (status = 201, description = "It is taken in, and a recovery is opened where there is none.", body = Taken),
        (status = 409, description = "The transaction owes another amount, or the first request with this key is still being worked on."),
    )
)]
pub(crate) async fn report(
    access: WriteAccess,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let reported: Reported = body.json()?;
    let cause = api.backbone.cause();
    // Each report is a failure of its own: what makes it the same is its Idempotency-Key.
    let own = Id::<FailureEvent>::new(cause.at, &mut api.backbone.db.fork_rng());
    let consent = reported.consent()?;
    let report = reported.check(own.to_string(), cause.at)?;
    let reply = once(&api, access.tenant, &body, cause, async |tx| {
        record(tx, &access, &report, &consent).await
    });
    Ok(reply.await?.respond())
}

async fn record(
    tx: &mut Tx,
    access: &WriteAccess,
    report: &FailureReport,
    consent: &[Channel],
) -> Result<Reply, Problem> {
    let tenant = access.tenant;
    let ingested = ingest::failure(tx, tenant, report).await?;
    opt_in::record(tx, tenant, ingested.transaction, consent).await?;
    if let Some(recovery) = ingested.recovery {
        observe::about_recovery(recovery);
    }
    let detail = json!({ "recovery_id": ingested.recovery });
    let object = ingested.failure.to_string();
    access
        .caller
        .note(tx, "failure.reported", &object, detail)
        .await?;
    let taken = Taken {
        id: ingested.failure,
        transaction_id: ingested.transaction,
        recovery_id: ingested.recovery,
    };
    Reply::json(StatusCode::CREATED, &taken)
}
