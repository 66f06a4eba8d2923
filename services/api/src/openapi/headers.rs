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

pub(super) fn replayed() -> Header {
    let about = "`true` where this is the answer to an earlier request with the same key.";
    header(Type::String, about)
}
