//! Compression: what is worth it, and what must not be.
//!
//! Compressing tells something of what is compressed by its length; where an answer
//! holds a secret beside what a stranger chose, that gives the secret away (BREACH,
//! <https://breachattack.com>). So only reads of what an organization knows are
//! compressed, and no login, key, link or page of a payer; nor events, which must
//! not wait for more; nor what is too small to gain.
//!
//! The work is `actix_web`'s `Compress`. [`choose`] stands within it and marks what it
//! must leave alone; [`finish`] stands around it and puts right what it cannot know.

use actix_web::body::{BodySize, BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, VARY};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, ResponseError};

use super::etag::CODINGS;
use crate::problem::Problem;

/// Fewer bytes are sent as they are: with its headers an answer is one packet anyway.
const SMALLEST: u64 = 1_024;
/// Paths whose answers hold secrets, or are not ours to compress.
const NEVER: [&str; 4] = [
    "/v1/auth/",
    "/v1/recoveries/by_token/",
    "/v1/recoveries/by_ref/",
    "/v1/webhooks/",
];
/// What `Compress` leaves alone.
const AS_IT_IS: &str = "identity";

/// An answer that is sent in whichever coding the client takes.
struct Compressible;

/// Wraps a request within `Compress`; see the module.
pub async fn choose(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let may = *request.method() == Method::GET && is_public_reading(request.path());
    let mut response = next.call(request).await?;
    if may && is_worth_it(&response) {
        response
            .response_mut()
            .extensions_mut()
            .insert(Compressible);
    } else {
        let as_it_is = HeaderValue::from_static(AS_IT_IS);
        response.headers_mut().insert(CONTENT_ENCODING, as_it_is);
    }
    Ok(response)
}

fn is_public_reading(path: &str) -> bool {
    let reads = path.starts_with("/v1/") || path.starts_with("/docs") || path == "/openapi.json";
    reads && !NEVER.iter().any(|never| path.starts_with(never))
}

fn is_worth_it<B: MessageBody>(response: &ServiceResponse<B>) -> bool {
    let headers = response.headers();
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let text = kind.is_some_and(|kind| {
        let essence = kind.split(';').next().unwrap_or_default().trim();
        (essence.starts_with("text/") && essence != "text/event-stream")
            || essence == "application/json"
            || essence.ends_with("javascript")
    });
    let long = match response.response().body().size() {
        BodySize::None => false,
        BodySize::Sized(bytes) => bytes >= SMALLEST,
        BodySize::Stream => true,
    };
    text && long && response.status() == StatusCode::OK && !headers.contains_key(CONTENT_ENCODING)
}

/// Wraps a request around `Compress`; see the module.
pub async fn finish(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody, BoxBody>>, Error> {
    let mut response = next.call(request).await?;
    let is_refusal = response.status() == StatusCode::NOT_ACCEPTABLE;
    if is_refusal && !response.headers().contains_key(CONTENT_TYPE) {
        let (request, _) = response.into_parts();
        let refusal = Problem::not_acceptable().error_response();
        return Ok(ServiceResponse::new(request, refusal).map_into_right_body());
    }
    let compressible = response.response().extensions().contains::<Compressible>();
    let headers = response.headers_mut();
    let coding = headers
        .get(CONTENT_ENCODING)
        .and_then(|coding| coding.to_str().ok());
    let coding = coding.map(str::to_owned);
    if coding.as_deref() == Some(AS_IT_IS) {
        headers.remove(CONTENT_ENCODING);
    }
    let coding = coding.filter(|coding| CODINGS.contains(&coding.as_str()));
    if let Some(coding) = coding {
        tell_apart(headers, &coding);
    }
    if compressible {
        let others = headers
            .get_all(VARY)
            .filter_map(|value| value.to_str().ok());
        let others: Vec<_> = others
            .filter(|value| !value.eq_ignore_ascii_case("accept-encoding"))
            .chain(["Accept-Encoding"])
            .map(str::to_owned)
            .collect();
        if let Ok(value) = HeaderValue::from_str(&others.join(", ")) {
            headers.insert(VARY, value);
        }
    }
    Ok(response.map_into_left_body())
}

/// Other bytes have another strong tag.
fn tell_apart(headers: &mut HeaderMap, coding: &str) {
    let tag = headers.get(ETAG).and_then(|tag| tag.to_str().ok());
    let Some(tag) = tag.and_then(|tag| tag.strip_suffix('"')) else {
        return;
    };
    if let Ok(tag) = HeaderValue::from_str(&format!("{tag}-{coding}\"")) {
        headers.insert(ETAG, tag);
    }
}
