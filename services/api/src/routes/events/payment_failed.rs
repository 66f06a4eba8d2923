//! `POST /v1/events/payment_failed`: a partner reports that a payment failed.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use db::Tx;
use domain::id::FailureEvent;
use domain::{Channel, Id};
use serde_json::json;

use super::opt_in;
use super::report::Reported;
use crate::app::Api;
use crate::auth::WriteAccess;
use crate::conduct::body::Body;
use crate::conduct::idempotency::{Reply, once};
use crate::conduct::observe;
use crate::ingest::{self, FailureReport};
use crate::problem::Problem;

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
    let body = json!({
        "id": ingested.failure,
        "transaction_id": ingested.transaction,
        "recovery_id": ingested.recovery,
    });
    Reply::json(StatusCode::CREATED, &body)
}
