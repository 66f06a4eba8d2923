//! Entity tags: what is unchanged is not sent again, and a change is made to what
//! its maker saw.
//!
//! A tag is a hash of the answer's bytes, so it is strong (RFC 9110, section 8.8.1)
//! and needs no version column. [`tag`] gives one to every authenticated answer to a
//! GET that is whole JSON, and answers 304 where the client has it already. A
//! handler that changes something takes an `IfMatch` and holds it against the
//! thing as it is within its transaction, locked, so that of two who saw the same
//! only one changes it.
//!
//! A compressed answer's tag ends in its coding, since its bytes are others
//! (section 8.8.3.3); in conditions that end is left away.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpRequest, HttpResponse};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::problem::Problem;

/// Bytes of the hash that make a tag: enough that no two answers share one.
const LENGTH: usize = 16;
/// What compressed answers' tags end in.
pub(super) const CODINGS: [&str; 2] = ["gzip", "br"];
/// What may be kept, if it is asked about every time.
const ASK_AGAIN: &str = "private, no-cache";

/// The tag of these bytes, in its quotes.
fn of(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(&hash[..LENGTH]))
}

/// Whether one of the tags in `header` is `tag`; `weak` ones count where it is only
/// about sending again (RFC 9110, section 8.8.3.2).
fn names(headers: &HeaderMap, header: &HeaderName, tag: &str, weak: bool) -> bool {
    let values = headers
        .get_all(header)
        .filter_map(|value| value.to_str().ok());
    // A tag of ours holds no comma.
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|given| {
        let given = match given.strip_prefix("W/") {
            Some(given) if weak => given,
            Some(_) => return false,
            None => given,
        };
        given == "*" || plain(given) == plain(tag)
    })
}

/// A tag without quotes and coding.
fn plain(tag: &str) -> &str {
    let tag = tag.trim_matches('"');
    let coding = CODINGS
        .iter()
        .find_map(|coding| tag.strip_suffix(coding)?.strip_suffix('-'));
    coding.unwrap_or(tag)
}

/// What a change wants the thing to be like before.
pub(crate) struct IfMatch(HeaderMap);

impl FromRequest for IfMatch {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let given = request.headers().get_all(IF_MATCH);
        ready(Ok(Self(
            given.map(|value| (IF_MATCH, value.clone())).collect(),
        )))
    }
}

impl IfMatch {
    /// Refuses where the thing, as its GET would show it now, is not what was
    /// wanted. Call it within the transaction, with the thing's row locked.
    pub(crate) fn check(&self, now: &impl Serialize) -> Result<(), Problem> {
        if self.0.is_empty() {
            return Ok(());
        }
        let body = serde_json::to_vec(now).map_err(|_| Problem::internal())?;
        if names(&self.0, &IF_MATCH, &of(&body), false) {
            Ok(())
        } else {
            Err(Problem::precondition_failed())
        }
    }
}

/// The answer to a PUT that shows the thing as its GET will, with its tag.
pub(crate) fn changed(now: &impl Serialize) -> Result<HttpResponse, Problem> {
    let body = serde_json::to_vec(now).map_err(|_| Problem::internal())?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((ETAG, of(&body)))
        .body(body))
}

/// Wraps a request; see the module.
pub async fn tag(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody, BoxBody>>, Error> {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let wanted = reads && request.path().starts_with("/v1/");
    let response = next.call(request).await?;
    if !wanted || !is_taggable(&response) {
        return Ok(response.map_into_left_body());
    }
    let (request, response) = response.into_parts();
    let (mut head, body) = response.into_parts();
    let body = match body.try_into_bytes() {
        Ok(body) => body,
        Err(body) => {
            let response = head.set_body(body);
            return Ok(ServiceResponse::new(request, response).map_into_left_body());
        }
    };
    let tag = of(&body);
    let known = names(request.headers(), &IF_NONE_MATCH, &tag, true);
    let headers = head.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, value);
    }
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(ASK_AGAIN));
    }
    let response = if known {
        headers.remove(CONTENT_TYPE);
        *head.status_mut() = StatusCode::NOT_MODIFIED;
        head.set_body(BoxBody::new(()))
    } else {
        head.set_body(BoxBody::new(body))
    };
    Ok(ServiceResponse::new(request, response).map_into_right_body())
}

/// Whole JSON that says what is, and does not say itself how long it may be kept.
fn is_taggable<B>(response: &ServiceResponse<B>) -> bool {
    let headers = response.headers();
    let json = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    response.status() == StatusCode::OK
        && json.is_some_and(|kind| kind.starts_with("application/json"))
        && !headers.contains_key(ETAG)
        && headers
            .get(CACHE_CONTROL)
            .is_none_or(|value| value != "no-store")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(header: HeaderName, value: &str) -> HeaderMap {
        let value = HeaderValue::from_str(value).unwrap();
        std::iter::once((header, value)).collect()
    }

    #[test]
    fn the_same_bytes_have_the_same_tag_and_others_another() {
        assert_eq!(of(b"{}"), of(b"{}"));
        assert_ne!(of(b"{}"), of(b"{ }"));
        assert_eq!(of(b"{}").len(), 24);
    }

    #[test]
    fn a_list_of_tags_is_read_as_http_has_it() {
        let tag = of(b"{}");
        let coded = format!("{}-br\"", tag.trim_end_matches('"'));
        for list in [tag.clone(), format!("\"x\", {tag}"), "*".to_owned(), coded] {
            assert!(
                names(&given(IF_MATCH, &list), &IF_MATCH, &tag, false),
                "{list}"
            );
        }
        let weak = format!("W/{tag}");
        assert!(!names(&given(IF_MATCH, &weak), &IF_MATCH, &tag, false));
        assert!(names(
            &given(IF_NONE_MATCH, &weak),
            &IF_NONE_MATCH,
            &tag,
            true
        ));
        for other in ["\"x\"", "", "\"\"", "-br"] {
            assert!(
                !names(&given(IF_MATCH, other), &IF_MATCH, &tag, false),
                "{other}"
            );
        }
    }

    #[test]
    fn what_was_not_asked_for_is_not_held_against_anybody() {
        assert!(IfMatch(HeaderMap::new()).check(&1).is_ok());
        assert!(IfMatch(given(IF_MATCH, &of(b"1"))).check(&1).is_ok());
        assert!(IfMatch(given(IF_MATCH, &of(b"1"))).check(&2).is_err());
        assert!(IfMatch(given(IF_MATCH, "*")).check(&2).is_ok());
    }
}
