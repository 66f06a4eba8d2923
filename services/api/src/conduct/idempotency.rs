//! `Idempotency-Key`: a request that is sent again has its effect once, and gets
//! its first answer again, byte for byte.
//!
//! A handler opts in by doing its work inside [`once`]. The key, the effect and
//! the answer are committed together, so there is no moment in which the effect
//! is there and the answer is not. What fails keeps no key: the same request may
//! be sent again once its cause is mended. A key is its organization's own, is
//! bound to method, path and body, and is kept for a day.
//!
//! The header is that of draft-ietf-httpapi-idempotency-key-header-07.

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, HttpResponse};
use db::idempotency::{self, KeptBody, Reserved};
use db::{Cause, Tenant, Tx};
use secrecy::ExposeSecret;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::body::Body;
use crate::app::Api;
use crate::problem::Problem;

const HEADER: &str = "Idempotency-Key";
const REPLAYED: &str = "Idempotency-Replayed";
/// Longest key, in characters.
const LONGEST: usize = 255;

/// The key that a request came with, if any, and what it asked under it.
pub(crate) struct Asked(Result<Option<Key>, NoKey>);

struct Key {
    key: String,
    /// Of method, path, query and body.
    fingerprint: [u8; 32],
}

/// The header is there, and holds nothing that can be a key.
struct NoKey;

impl Asked {
    /// Of a request with this body.
    pub(super) fn of(request: &HttpRequest, body: &[u8]) -> Self {
        let Some(value) = request.headers().get(HEADER) else {
            return Self(Ok(None));
        };
        let key = value.to_str().ok().map(str::trim);
        let key = key.filter(|key| (1..=LONGEST).contains(&key.len()));
        let key = key.map(|key| Key {
            key: key.to_owned(),
            fingerprint: fingerprint(request, body),
        });
        Self(key.map(Some).ok_or(NoKey))
    }

    /// The key's own text, and the fingerprint of what was asked under it: for a
    /// request of nobody's yet, which [`once`] has nowhere to keep.
    pub(crate) fn text(&self) -> Result<Option<(&str, &[u8; 32])>, Problem> {
        let key = self.key()?;
        Ok(key.map(|key| (key.key.as_str(), &key.fingerprint)))
    }

    fn key(&self) -> Result<Option<&Key>, Problem> {
        let fault = || format!("must be 1 to {LONGEST} printable characters");
        let key = self.0.as_ref();
        let key = key.map_err(|NoKey| Problem::invalid_field(HEADER, fault()))?;
        Ok(key.as_ref())
    }
}

fn fingerprint(request: &HttpRequest, body: &[u8]) -> [u8; 32] {
    let target = request.uri().path_and_query();
    let mut hash = Sha256::new();
    hash.update(request.method().as_str());
    hash.update(b" ");
    hash.update(target.map_or("", |target| target.as_str()));
    hash.update(b"\n");
    hash.update(body);
    hash.finalize().into()
}

/// What a request that creates or acts answers.
pub(crate) struct Reply {
    status: StatusCode,
    body: Vec<u8>,
    secret: bool,
    replayed: bool,
}

impl Reply {
    /// `status`, with this as JSON.
    pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Result<Self, Problem> {
        Ok(Self {
            status,
            body: serde_json::to_vec(body).map_err(|_| Problem::internal())?,
            secret: false,
            replayed: false,
        })
    }

    /// As [`Reply::json`], where the answer holds what is shown this once: it is
    /// kept sealed.
    pub(crate) fn secret(status: StatusCode, body: &impl Serialize) -> Result<Self, Problem> {
        Ok(Self {
            secret: true,
            ..Self::json(status, body)?
        })
    }

    /// An answer that was given before, to the same request.
    pub(crate) fn again(status: StatusCode, body: Vec<u8>) -> Self {
        Self {
            status,
            body,
            secret: true,
            replayed: true,
        }
    }

    /// The same, with another body: of what goes on after it was begun, a key keeps
    /// which it is, and what is shown is how it stands now.
    pub(crate) fn with(self, body: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_vec(body).map_err(|_| Problem::internal())?;
        Ok(Self { body, ..self })
    }

    /// The bytes of its body.
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    /// As HTTP.
    pub(crate) fn respond(self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status);
        if self.replayed {
            answer.insert_header((REPLAYED, "true"));
        }
        answer.insert_header((CONTENT_TYPE, "application/json"));
        answer.body(self.body)
    }
}

/// Does `act` in one transaction of this cause, and commits it with its answer.
/// If an earlier request had the same key, its answer is given instead; a problem
/// changes nothing.
pub(crate) async fn once(
    api: &Api,
    tenant: Tenant,
    body: &Body,
    cause: Cause,
    act: impl AsyncFnOnce(&mut Tx) -> Result<Reply, Problem>,
) -> Result<Reply, Problem> {
    let key = body.asked.key()?;
    let mut tx = api.backbone.db.begin(cause).await?;
    let done = async {
        if let Some(key) = key
            && let Some(earlier) = earlier(api, &mut tx, tenant, key).await?
        {
            return Ok(earlier);
        }
        let reply = act(&mut tx).await?;
        if let Some(key) = key {
            keep(api, &mut tx, tenant, key, &reply).await?;
        }
        Ok(reply)
    }
    .await;
    match done {
        Ok(reply) if !reply.replayed => {
            tx.commit().await?;
            Ok(reply)
        }
        other => {
            tx.roll_back().await?;
            other
        }
    }
}

/// The first answer to this request, if it was sent before under its key: for what asks
/// somebody else before it does its work inside [`once`], who is not asked again then.
pub(crate) async fn before(
    api: &Api,
    tenant: Tenant,
    body: &Body,
) -> Result<Option<Reply>, Problem> {
    let Some(key) = body.asked.key()? else {
        return Ok(None);
    };
    let mut conn = api.backbone.db.read().await?;
    let known = idempotency::find(&mut conn, tenant, &key.key, &key.fingerprint).await?;
    known.map_or(Ok(None), |known| kept(api, tenant, key, known))
}

/// The first answer to this key, or `None` if this request is the first.
async fn earlier(
    api: &Api,
    tx: &mut Tx,
    tenant: Tenant,
    key: &Key,
) -> Result<Option<Reply>, Problem> {
    let reserved = idempotency::reserve(tx, tenant, &key.key, &key.fingerprint).await?;
    kept(api, tenant, key, reserved)
}

fn kept(
    api: &Api,
    tenant: Tenant,
    Key { key, .. }: &Key,
    reserved: Reserved,
) -> Result<Option<Reply>, Problem> {
    let (status, kept) = match reserved {
        Reserved::First => return Ok(None),
        Reserved::Replay { status, body } => (status, body),
        Reserved::OtherContent => return Err(Problem::idempotency_mismatch()),
        Reserved::InFlight => return Err(Problem::idempotency_in_flight()),
    };
    let (body, secret) = match kept {
        KeptBody::Plain(body) => (body, false),
        KeptBody::Sealed(sealed) => {
            let opened = api.kept_answers.open(&sealed, &context(tenant, key));
            let opened = opened.map_err(|error| {
                tracing::error!(%error, "a kept answer does not open; answered with 500");
                Problem::internal()
            })?;
            (opened.expose_secret().clone(), true)
        }
    };
    Ok(Some(Reply {
        status: StatusCode::from_u16(status).map_err(|_| Problem::internal())?,
        body,
        secret,
        replayed: true,
    }))
}

/// Keeps this request's answer for the next one with its key.
async fn keep(
    api: &Api,
    tx: &mut Tx,
    tenant: Tenant,
    Key { key, .. }: &Key,
    reply: &Reply,
) -> Result<(), Problem> {
    let body = if reply.secret {
        let rng = &mut api.backbone.db.fork_rng();
        let sealed = api
            .kept_answers
            .seal(&reply.body, &context(tenant, key), rng);
        KeptBody::Sealed(sealed.map_err(|error| {
            tracing::error!(%error, "an answer cannot be kept; answered with 500");
            Problem::internal()
        })?)
    } else {
        KeptBody::Plain(reply.body.clone())
    };
    idempotency::store(tx, tenant, key, reply.status.as_u16(), &body).await?;
    Ok(())
}

/// What a kept answer is sealed for: it opens in no other organization's row, and
/// under no other key.
fn context(tenant: Tenant, key: &str) -> Vec<u8> {
    format!("idempotency {} {key}", tenant.organization()).into_bytes()
}
