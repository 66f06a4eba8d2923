//! `POST /v1/events/payment_failed`: a partner reports that a payment failed.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use db::idempotency::{self, Reserved};
use db::{Tenant, Tx};
use domain::id::FailureEvent;
use domain::{Channel, Id};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::opt_in;
use super::report::Reported;
use crate::app::Api;
use crate::auth::WriteAccess;
use crate::conduct::body::Body;
use crate::conduct::observe;
use crate::ingest::{self, FailureReport};
use crate::problem::Problem;

const KEY: &str = "Idempotency-Key";
const REPLAYED: &str = "Idempotency-Replayed";
const CREATED: u16 = 201;

pub(crate) async fn report(
    access: WriteAccess,
    request: HttpRequest,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let key = idempotency_key(&request)?;
    let reported: Reported = body.json()?;
    let cause = api.backbone.cause();
    // Each report is a failure of its own: what makes it the same is its Idempotency-Key.
    let own = Id::<FailureEvent>::new(cause.at, &mut api.backbone.db.fork_rng());
    let consent = reported.consent()?;
    let report = reported.check(own.to_string(), cause.at)?;
    let mut tx = api.backbone.db.begin(cause).await?;
    let fingerprint: [u8; 32] = Sha256::digest(&body.bytes).into();
    let key = key.as_deref().map(|key| (key, fingerprint));
    match record(&mut tx, access.tenant, key, &report, &consent).await {
        Ok(Recorded::Now(body)) => {
            tx.commit().await?;
            Ok(HttpResponse::Created().json(body))
        }
        Ok(Recorded::Before(body)) => {
            tx.roll_back().await?;
            let mut answer = HttpResponse::Created();
            Ok(answer.insert_header((REPLAYED, "true")).json(body))
        }
        Err(problem) => {
            tx.roll_back().await?;
            Err(problem)
        }
    }
}

/// The answer to a report.
enum Recorded {
    /// Recorded by this request.
    Now(Value),
    /// Recorded by an earlier one with the same key.
    Before(Value),
}

fn idempotency_key(request: &HttpRequest) -> Result<Option<String>, Problem> {
    let Some(value) = request.headers().get(KEY) else {
        return Ok(None);
    };
    let key = value.to_str().ok().map(str::trim);
    key.filter(|key| (1..=255).contains(&key.len()))
        .map(|key| Some(key.to_owned()))
        .ok_or_else(|| Problem::invalid_field(KEY, "must be 1 to 255 printable characters"))
}

async fn record(
    tx: &mut Tx,
    tenant: Tenant,
    key: Option<(&str, [u8; 32])>,
    report: &FailureReport,
    consent: &[Channel],
) -> Result<Recorded, Problem> {
    if let Some((key, fingerprint)) = &key {
        match idempotency::reserve(tx, tenant, key, fingerprint).await? {
            Reserved::First => {}
            Reserved::Replay { body, .. } => return Ok(Recorded::Before(body)),
            Reserved::OtherContent => return Err(Problem::idempotency_mismatch()),
            Reserved::InFlight => return Err(Problem::idempotency_in_flight()),
        }
    }
    let ingested = ingest::failure(tx, tenant, report).await?;
    opt_in::record(tx, tenant, ingested.transaction, consent).await?;
    if let Some(recovery) = ingested.recovery {
        observe::about_recovery(recovery);
    }
    let body = json!({
        "id": ingested.failure,
        "transaction_id": ingested.transaction,
        "recovery_id": ingested.recovery,
    });
    if let Some((key, _)) = key {
        idempotency::store(tx, tenant, key, CREATED, &body).await?;
    }
    Ok(Recorded::Now(body))
}
