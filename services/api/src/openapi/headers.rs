//! Headers of answers.

use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::{ObjectBuilder, Type};

fn header(kind: Type, about: &str) -> Header {
    HeaderBuilder::new()
        .schema(ObjectBuilder::new().schema_type(kind))
        .description(Some(about))
        .build()
}

/// What every answer has.
pub(super) fn request_id() -> Header {
    let about =
        "Names this request in the service's log lines; the request's own, if it had a decent one.";
    header(Type::String, about)
}

pub(super) fn retry_after() -> Header {
    header(Type::Integer, "Seconds after which to come back.")
}

pub(super) fn authenticate() -> Header {
    header(Type::String, "`Bearer`.")
}

pub(super) fn etag() -> Header {
    let about = "Changes with the answer. Send it as `If-None-Match` to be told only of changes, \
                 and as `If-Match` to change what was seen and nothing else.";
    header(Type::String, about)
}

/// What the limits that hold for a caller are, and how they stand.
pub(super) fn limits() -> [(&'static str, Header); 2] {
    let policy = "The limits that hold: `q` requests at once, all of which come back within `w` \
                  seconds (draft-ietf-httpapi-ratelimit-headers).";
    let stands = "How they stand: `r` are left now, and after `t` seconds all are there again.";
    [
        ("RateLimit-Policy", header(Type::String, policy)),
        ("RateLimit", header(Type::String, stands)),
    ]
}

pub(super) fn replayed() -> Header {
    let about = "`true` where this is the answer to an earlier request with the same key.";
    header(Type::String, about)
}
