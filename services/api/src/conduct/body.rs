//! How bodies are taken in: within the limit, and with faults that name the field.

use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use actix_web::web::{Bytes, Data};
use actix_web::{FromRequest, HttpRequest, dev};
use chrono::{DateTime, Utc};
use futures_util::future::{LocalBoxFuture, ready};
use futures_util::{FutureExt, StreamExt};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::idempotency::Asked;
use crate::app::Api;
use crate::problem::Problem;

/// Most bytes that are read past the limit, so that a client which is still
/// sending gets to read its answer.
const DRAINED: usize = 4 * 1_024 * 1_024;

/// A body as it came, within the limit.
///
/// It is read by the handler, not on the way to it, so that whoever has no right
/// to be there is told that before anything about the body.
pub struct Body {
    /// Its bytes.
    pub bytes: Bytes,
    says_json: bool,
    pub(crate) asked: Asked,
}

impl Body {
    /// The JSON in it, whose items are as they came, to be read by [`item`] one by one.
    pub(crate) fn items<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        if !self.says_json {
            return Err(Problem::unsupported_media_type());
        }
        read_items(&self.bytes)
    }

    /// The JSON in it; a fault names its field.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        if !self.says_json {
            return Err(Problem::unsupported_media_type());
        }
        read(&self.bytes)
    }

    fn within(
        limit: usize,
        request: &HttpRequest,
        payload: &mut dev::Payload,
    ) -> LocalBoxFuture<'static, Result<Self, Problem>> {
        let coding = request.headers().get(CONTENT_ENCODING);
        if coding.is_some_and(|coding| coding != "identity") {
            // A small body that grows without end is not taken in at all.
            return ready(Err(Problem::unsupported_coding())).boxed_local();
        }
        let says_json = request.headers().get(CONTENT_TYPE).is_none_or(is_json);
        let (mut payload, request) = (payload.take(), request.clone());
        async move {
            let bytes = take_in(&mut payload, limit).await?;
            Ok(Self {
                asked: Asked::of(&request, &bytes),
                bytes,
                says_json,
            })
        }
        .boxed_local()
    }
}

fn limit(request: &HttpRequest) -> usize {
    let api = request.app_data::<Data<Api>>();
    api.map_or(0, |api| api.body_limit)
}

impl FromRequest for Body {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        Self::within(limit(request), request, payload)
    }
}

/// A body of many items, which may be so many times as large as that of one.
pub struct LargeBody(pub Body);

/// How many times: a thousand items of a usual size fit well.
const TIMES: usize = 8;

impl FromRequest for LargeBody {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let most = limit(request).saturating_mul(TIMES);
        let body = Body::within(most, request, payload);
        async move { body.await.map(Self) }.boxed_local()
    }
}

async fn take_in(payload: &mut dev::Payload, limit: usize) -> Result<Bytes, Problem> {
    let mut body = Vec::new();
    let mut length = 0_usize;
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error: PayloadError| Problem::from_payload(&error, limit))?;
        length = length.saturating_add(chunk.len());
        if length > limit.saturating_add(DRAINED) {
            break;
        }
        if length <= limit {
            body.extend_from_slice(&chunk);
        }
    }
    if length > limit {
        return Err(Problem::too_large(limit));
    }
    Ok(body.into())
}

fn is_json(value: &actix_web::http::header::HeaderValue) -> bool {
    let essence = value.to_str().unwrap_or_default();
    let essence = essence.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
        || essence.to_ascii_lowercase().ends_with("+json")
}

/// Reads JSON; a fault names the field's path. The zero character is refused
/// everywhere: Postgres keeps none.
pub(crate) fn read<T: DeserializeOwned>(raw: &[u8]) -> Result<T, Problem> {
    if raw.windows(6).any(|six| six == br"\u0000") {
        return Err(Problem::malformed_body("must not hold the zero character"));
    }
    read_items(raw)
}

fn read_items<T: DeserializeOwned>(raw: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(raw);
    let value: T = serde_path_to_error::deserialize(&mut reader).map_err(told)?;
    reader
        .end()
        .map_err(|error| Problem::malformed_body(format!("goes on after its end: {error}")))?;
    Ok(value)
}

/// One item of a body, read as a body of its own would be.
pub(crate) fn item<T: DeserializeOwned>(item: Value) -> Result<T, Problem> {
    if holds_zero(&item) {
        return Err(Problem::malformed_body("must not hold the zero character"));
    }
    serde_path_to_error::deserialize(item).map_err(told)
}

fn holds_zero(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_zero),
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| name.contains('\0') || holds_zero(value)),
        _ => false,
    }
}

/// What was wrong with the JSON, as a problem that names the field.
fn told(error: serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let path = error.path().to_string();
    let inner = error.into_inner();
    if inner.is_data() && path != "." {
        let fault = without_position(&inner);
        return Problem::invalid_field(path, without_text(&fault));
    }
    if let Some(field) = missing_field(&inner) {
        return Problem::invalid_field(field, "is missing");
    }
    let fault = without_text(&inner.to_string());
    Problem::malformed_body(format!("is not the JSON wanted: {fault}"))
}

/// serde repeats a text that it did not expect; what came may be a secret in the wrong place, and
/// is not said again.
fn without_text(fault: &str) -> String {
    let (begins, ends) = ("string \"", "\", expected ");
    match (fault.find(begins), fault.rfind(ends)) {
        (Some(begin), Some(end)) if begin + begins.len() <= end => {
            format!("{}a string{}", &fault[..begin], &fault[end + 1..])
        }
        _ => fault.to_owned(),
    }
}

/// A time as bodies hold it, or what is wrong with it.
pub(crate) fn time(text: &str) -> Result<DateTime<Utc>, String> {
    let read = DateTime::parse_from_rfc3339(text).map(|at| at.to_utc());
    read.map_err(|_| {
        "must be a time in ISO 8601 with its offset, such as 2026-11-25T10:00:00Z".to_owned()
    })
}

/// serde names a missing field in words only.
fn missing_field(error: &serde_json::Error) -> Option<String> {
    let text = error.to_string();
    let rest = text.strip_prefix("missing field `")?;
    rest.split('`').next().map(str::to_owned)
}

fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}
