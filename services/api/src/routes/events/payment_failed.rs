//! `POST /v1/events/payment_failed`: a partner reports that a payment failed.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use db::Tx;
use db::idempotency::{self, Reserved};
use domain::id::FailureEvent;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

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
    let mut tx = api.backbone.db.begin(api.backbone.cause()).await?;
    // Each report is a failure of its own: what makes it the same is its Idempotency-Key.
    let own = tx.new_id::<FailureEvent>().to_string();
    let report = reported.check(own, tx.now())?;
    let Some(key) = key else {
        let body = record(&mut tx, &access, &report).await?;
        tx.commit().await?;
        return Ok(HttpResponse::Created().json(body));
    };
    let fingerprint: [u8; 32] = Sha256::digest(&body.bytes).into();
    match idempotency::reserve(&mut tx, access.tenant, &key, &fingerprint).await? {
        Reserved::First => {
            let body = record(&mut tx, &access, &report).await?;
            idempotency::store(&mut tx, access.tenant, &key, CREATED, &body).await?;
            tx.commit().await?;
            Ok(HttpResponse::Created().json(body))
        }
        Reserved::Replay { body, .. } => Ok(HttpResponse::Created()
            .insert_header((REPLAYED, "true"))
            .json(body)),
        Reserved::OtherContent => Err(Problem::idempotency_mismatch()),
        Reserved::InFlight => Err(Problem::idempotency_in_flight()),
    }
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
    access: &WriteAccess,
    report: &FailureReport,
) -> Result<Value, Problem> {
    let ingested = ingest::failure(tx, access.tenant, report).await?;
    if let Some(recovery) = ingested.recovery {
        observe::about_recovery(recovery);
    }
    Ok(json!({
        "id": ingested.failure,
        "transaction_id": ingested.transaction,
        "recovery_id": ingested.recovery,
    }))
}
