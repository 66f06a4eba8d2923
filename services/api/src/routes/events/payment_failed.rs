//! `POST /v1/events/payment_failed`: a partner reports that a payment failed.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use db::Tx;
use domain::id::FailureEvent;
use domain::{Channel, Id};
use serde_json::json;

use super::opt_in;
use super::report::Reported;
use crate::app::Api;
use crate::auth::WriteAccess;
use crate::conduct::body::Body;
use crate::conduct::idempotency::{self, Answer, Key};
use crate::conduct::observe;
use crate::ingest::{self, FailureReport};
use crate::problem::Problem;

pub(crate) async fn report(
    access: WriteAccess,
    request: HttpRequest,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let key = idempotency::key(&request, &body)?;
    let reported: Reported = body.json()?;
    let cause = api.backbone.cause();
    // Each report is a failure of its own: what makes it the same is its Idempotency-Key.
    let own = Id::<FailureEvent>::new(cause.at, &mut api.backbone.db.fork_rng());
    let consent = reported.consent()?;
    let report = reported.check(own.to_string(), cause.at)?;
    let mut tx = api.backbone.db.begin(cause).await?;
    let answer = record(&mut tx, &access, key.as_ref(), &report, &consent).await;
    idempotency::finish(tx, answer).await
}

async fn record(
    tx: &mut Tx,
    access: &WriteAccess,
    key: Option<&Key>,
    report: &FailureReport,
    consent: &[Channel],
) -> Result<Answer, Problem> {
    let tenant = access.tenant;
    if let Some(answer) = idempotency::before(tx, tenant, key).await? {
        return Ok(answer);
    }
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
    idempotency::keep(tx, tenant, key, StatusCode::CREATED, body).await
}
