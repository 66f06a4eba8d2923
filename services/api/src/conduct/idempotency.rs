//! `Idempotency-Key`: a request that is sent again has its effect once, and gets
//! its first answer again.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};
use db::idempotency::{self, Reserved};
use db::{Tenant, Tx};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::body::Body;
use crate::problem::Problem;

const HEADER: &str = "Idempotency-Key";
const REPLAYED: &str = "Idempotency-Replayed";

/// A key, and what it came with.
pub(crate) struct Key {
    key: String,
    fingerprint: [u8; 32],
}

/// An answer, by this request or by the first one with its key.
pub(crate) struct Answer {
    status: u16,
    body: Value,
    replayed: bool,
}

impl Answer {
    /// As HTTP.
    fn respond(&self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let mut answer = HttpResponse::build(status);
        if self.replayed {
            answer.insert_header((REPLAYED, "true"));
        }
        answer.json(&self.body)
    }
}

/// The request's key, if it has one.
pub(crate) fn key(request: &HttpRequest, body: &Body) -> Result<Option<Key>, Problem> {
    let Some(value) = request.headers().get(HEADER) else {
        return Ok(None);
    };
    let key = value.to_str().ok().map(str::trim);
    key.filter(|key| (1..=255).contains(&key.len()))
        .map(|key| {
            Some(Key {
                key: key.to_owned(),
                fingerprint: Sha256::digest(&body.bytes).into(),
            })
        })
        .ok_or_else(|| Problem::invalid_field(HEADER, "must be 1 to 255 printable characters"))
}

/// The first answer to this key, or `None` if this request is the first.
pub(crate) async fn before(
    tx: &mut Tx,
    tenant: Tenant,
    key: Option<&Key>,
) -> Result<Option<Answer>, Problem> {
    let Some(Key { key, fingerprint }) = key else {
        return Ok(None);
    };
    match idempotency::reserve(tx, tenant, key, fingerprint).await? {
        Reserved::First => Ok(None),
        Reserved::Replay { status, body } => Ok(Some(Answer {
            status,
            body,
            replayed: true,
        })),
        Reserved::OtherContent => Err(Problem::idempotency_mismatch()),
        Reserved::InFlight => Err(Problem::idempotency_in_flight()),
    }
}

/// Ends the request's transaction: what was done now is committed; a replay and
/// a problem change nothing.
pub(crate) async fn finish(
    tx: Tx,
    answer: Result<Answer, Problem>,
) -> Result<HttpResponse, Problem> {
    match answer {
        Ok(answer) if !answer.replayed => {
            tx.commit().await?;
            Ok(answer.respond())
        }
        other => {
            tx.roll_back().await?;
            Ok(other?.respond())
        }
    }
}

/// Keeps this request's answer for the next one with its key.
pub(crate) async fn keep(
    tx: &mut Tx,
    tenant: Tenant,
    key: Option<&Key>,
    status: StatusCode,
    body: Value,
) -> Result<Answer, Problem> {
    let status = status.as_u16();
    if let Some(Key { key, .. }) = key {
        idempotency::store(tx, tenant, key, status, &body).await?;
    }
    Ok(Answer {
        status,
        body,
        replayed: false,
    })
}
