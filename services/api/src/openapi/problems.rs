//! The problems that routes have in common.

use utoipa::openapi::{Content, RefOr, Response, ResponseBuilder};

use super::headers;

/// A reference to the body of every problem.
fn body() -> Content {
    Content::new(Some(RefOr::Ref(utoipa::openapi::Ref::from_schema_name(
        "Problem",
    ))))
}

/// Fills in what an answer of 400 and above has, where the handler does not say.
pub(super) fn fill(status: u16, response: &mut Response) {
    let mut add = |name: &str, header| {
        response.headers.entry(name.to_owned()).or_insert(header);
    };
    add("X-Request-Id", headers::request_id());
    if matches!(status, 429 | 503) {
        add("Retry-After", headers::retry_after());
    }
    if status == 401 {
        add("WWW-Authenticate", headers::authenticate());
    }
    if status >= 400 && response.content.is_empty() {
        response
            .content
            .insert("application/problem+json".to_owned(), body());
    }
}

/// A problem that many routes answer with.
pub(super) struct Usual {
    pub(super) status: u16,
    /// Its name among the document's components.
    pub(super) name: &'static str,
    about: &'static str,
}

const fn usual(status: u16, name: &'static str, about: &'static str) -> Usual {
    Usual {
        status,
        name,
        about,
    }
}

pub(super) const MALFORMED: Usual = usual(400, "Malformed", "The body does not read.");
pub(super) const UNAUTHORIZED: Usual = usual(
    401,
    "Unauthorized",
    "There is no key or token, or one that does not hold.",
);
pub(super) const FORBIDDEN: Usual = usual(
    403,
    "Forbidden",
    "The key's scope or the person's role is not enough.",
);
pub(super) const NOT_ACCEPTABLE: Usual = usual(
    406,
    "NotAcceptable",
    "`Accept-Encoding` leaves no way to answer.",
);
pub(super) const IN_FLIGHT: Usual = usual(
    409,
    "InFlight",
    "The first request with this `Idempotency-Key` is still being worked on.",
);
pub(super) const CHANGED: Usual = usual(
    412,
    "Changed",
    "It is not what `If-Match` says any more; nothing has changed.",
);
pub(super) const TOO_LARGE: Usual = usual(413, "TooLarge", "The body is larger than is taken.");
pub(super) const NOT_JSON: Usual = usual(415, "NotJson", "The body's media type is not JSON.");
pub(super) const INVALID: Usual = usual(
    422,
    "Invalid",
    "The request holds what it must not; `errors` says where.",
);
pub(super) const TOO_MANY: Usual = usual(
    429,
    "TooMany",
    "There were too many requests; come back after `Retry-After` seconds.",
);
pub(super) const INTERNAL: Usual = usual(
    500,
    "Internal",
    "Something went wrong on Tinko's side, and has been noted.",
);
pub(super) const UNAVAILABLE: Usual = usual(
    503,
    "Unavailable",
    "The service is short of something for a moment; nothing has changed.",
);

pub(super) const ALL: [Usual; 12] = [
    MALFORMED,
    UNAUTHORIZED,
    FORBIDDEN,
    NOT_ACCEPTABLE,
    IN_FLIGHT,
    CHANGED,
    TOO_LARGE,
    NOT_JSON,
    INVALID,
    TOO_MANY,
    INTERNAL,
    UNAVAILABLE,
];

impl Usual {
    pub(super) fn response(&self) -> Response {
        let mut response = ResponseBuilder::new().description(self.about).build();
        fill(self.status, &mut response);
        response
    }
}
