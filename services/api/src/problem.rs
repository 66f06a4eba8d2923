//! Every error body: `application/problem+json` (RFC 9457), written here and nowhere else.
//!
//! `type` is stable: clients may switch on it. `instance` is the request's id,
//! which is in its log lines too. What is wrong with the input is in `errors`,
//! one entry a field.

use std::fmt;

use actix_web::error::{PathError, PayloadError, QueryPayloadError};
use actix_web::http::header::{ACCEPT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use connections::SealTrouble;
use db::DbError;
use domain::Role;
use psp::webhook::{ParseError, SignatureError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::conduct::request_id;
use crate::ingest::{IngestError, ReportFault};
use crate::vault::VaultError;

/// Media type of RFC 9457.
const MEDIA_TYPE: &str = "application/problem+json";
/// Where the types are described; the last segment names the type.
const TYPES: &str = "https://tinko.dev/problems/";
/// Seconds after which to come back when we are short of something.
const COME_BACK: u32 = 2;

/// What is wrong with one field of the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldFault {
    /// The field's path, such as `customer.email`.
    #[schema(example = "customer.email")]
    pub field: String,
    /// What is wrong with it, as a sentence's end.
    #[schema(example = "must have an @")]
    pub fault: String,
    /// The line in it, from 1, where a text of several lines is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, nullable = false)]
    pub line: Option<usize>,
}

impl FieldFault {
    /// `field` is at fault.
    pub fn new(field: impl Into<String>, fault: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            fault: fault.into(),
            line: None,
        }
    }
}

/// An answer that says what went wrong.
#[derive(Debug)]
pub struct Problem(Box<Parts>);

#[derive(Debug)]
struct Parts {
    status: StatusCode,
    slug: &'static str,
    title: &'static str,
    detail: String,
    errors: Vec<FieldFault>,
    retry_after: Option<u32>,
}

/// What went wrong (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Body<'a> {
    /// Names the kind of problem, and is stable: switch on it.
    #[schema(format = "uri", example = "https://tinko.dev/problems/invalid-request")]
    r#type: String,
    /// The kind in words.
    #[schema(example = "The request holds what it must not")]
    title: &'a str,
    /// The answer's status.
    #[schema(minimum = 400, maximum = 599, example = 422)]
    status: u16,
    /// This case in words.
    #[schema(example = "customer.email: must have an @")]
    detail: &'a str,
    /// The request's id, as `X-Request-Id` has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    instance: Option<String>,
    /// One entry for each field at fault.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(required = false)]
    errors: &'a [FieldFault],
}

impl Problem {
    fn new(
        status: StatusCode,
        slug: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self(Box::new(Parts {
            status,
            slug,
            title,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
        }))
    }

    fn with_errors(mut self, errors: Vec<FieldFault>) -> Self {
        self.0.errors = errors;
        self
    }

    /// Fields that hold what they must not.
    pub fn invalid(errors: Vec<FieldFault>) -> Self {
        let first = errors.first();
        let detail = first.map_or_else(String::new, |it| match it.line {
            Some(line) => format!("{}, line {line}: {}", it.field, it.fault),
            None => format!("{}: {}", it.field, it.fault),
        });
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid-request",
            "The request holds what it must not",
            detail,
        )
        .with_errors(errors)
    }

    /// One field that holds what it must not.
    pub fn invalid_field(field: impl Into<String>, fault: impl Into<String>) -> Self {
        Self::invalid(vec![FieldFault::new(field, fault)])
    }

    /// Seconds after which to come back, if that may help.
    pub const fn retry_after(&self) -> Option<u32> {
        self.0.retry_after
    }

    /// The same faults, of fields that stand within `parent`.
    #[must_use]
    pub fn within(self, parent: &str) -> Self {
        if self.0.errors.is_empty() {
            return self;
        }
        let mut errors = self.0.errors;
        for error in &mut errors {
            error.field = format!("{parent}.{}", error.field);
        }
        Self::invalid(errors)
    }

    /// A body that is not what its media type says.
    pub fn malformed_body(fault: impl Into<String>) -> Self {
        let fault = fault.into();
        Self::new(
            StatusCode::BAD_REQUEST,
            "malformed-body",
            "The body does not read",
            format!("body: {fault}"),
        )
        .with_errors(vec![FieldFault::new("body", fault)])
    }

    /// A body of a media type that the route does not take.
    pub fn unsupported_media_type() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "The body must be JSON",
            "send Content-Type: application/json",
        )
    }

    /// Neither a key nor a token, or one that does not hold.
    pub fn unauthorized(detail: &str) -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "A valid API key or access token is needed",
            detail,
        )
    }

    /// A key without the scope.
    pub fn forbidden(scope: &str) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "missing-scope",
            "The API key may not do this",
            format!("the key needs the scope {scope}"),
        )
    }

    /// A person whose role is not enough.
    pub fn forbidden_to_role(role: Role, least: Role) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "missing-role",
            "The user's role may not do this",
            format!("it needs the role {least} or more, and the user's is {role}"),
        )
    }

    /// A route that is about the person who calls.
    pub fn people_only() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "people-only",
            "An API key may not do this",
            "send the access token of a user who is logged in",
        )
    }

    /// Address and password, or code, that lead to no login. The same whether
    /// there is such an account, whether it is locked, and what was wrong.
    pub fn login_failed() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "login-failed",
            "The login failed",
            "the address and what was sent with it do not match, or there were too many tries; \
             check them, or wait a quarter of an hour",
        )
    }

    /// More tries than are good for anybody.
    pub fn too_many_tries(retry_after: u32) -> Self {
        let mut problem = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too-many-tries",
            "This was tried too often",
            "wait as long as Retry-After says",
        );
        problem.0.retry_after = Some(retry_after);
        problem
    }

    /// More requests than the caller's limit admits.
    pub fn rate_limited(retry_after: u32) -> Self {
        let mut problem = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "rate-limited",
            "These are too many requests",
            "wait as long as Retry-After says; RateLimit tells how the limits stand",
        );
        problem.0.retry_after = Some(retry_after);
        problem
    }

    /// More streams than one organization may follow at once.
    pub fn too_many_streams() -> Self {
        let mut problem = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too-many-streams",
            "Too many streams are open",
            "the organization follows as many streams as it may; close one",
        );
        problem.0.retry_after = Some(10);
        problem
    }

    /// A place in a stream that is too old to go on from.
    pub fn place_gone() -> Self {
        Self::new(
            StatusCode::GONE,
            "place-gone",
            "The stream does not go back that far",
            "read the recoveries anew, then follow the stream without an id",
        )
    }

    /// The thing is not what the request's `If-Match` says.
    pub fn precondition_failed() -> Self {
        Self::new(
            StatusCode::PRECONDITION_FAILED,
            "precondition-failed",
            "It has changed meanwhile",
            "If-Match names another state than it is in now; read it anew, and change that",
        )
    }

    /// A request with two lengths, each of which ends it elsewhere.
    pub(crate) fn two_lengths() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "two-lengths",
            "The request has two lengths",
            "send either Content-Length or Transfer-Encoding: chunked",
        )
    }

    /// A client that takes nothing that we have.
    pub fn not_acceptable() -> Self {
        Self::new(
            StatusCode::NOT_ACCEPTABLE,
            "not-acceptable",
            "There is no answer of that kind",
            "Accept-Encoding must leave one of br, gzip and identity",
        )
    }

    /// A compressed body.
    pub fn unsupported_coding() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-content-coding",
            "The body must not be compressed",
            "send it without Content-Encoding",
        )
    }

    /// A method that the path does not have.
    pub(crate) fn method_not_allowed(method: &Method) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "The path does not have this method",
            format!("{method} is not taken here"),
        )
    }

    /// Something that the operator does not offer.
    pub fn not_offered(detail: &str) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "not-offered",
            "This is not offered here",
            detail,
        )
    }

    /// A caller that is not whom we expect.
    pub fn refused(detail: &str) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "refused",
            "The caller is not the one that is expected",
            detail,
        )
    }

    /// A webhook whose secret the operator has not set.
    pub fn not_set_up(setting: &str) -> Self {
        Self::not_found(&format!("webhook here: {setting} is not set"))
    }

    /// Nothing of that name, as far as the caller may know.
    pub fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "There is nothing here",
            format!("there is no such {what}"),
        )
    }

    /// The input disagrees with what is stored.
    pub fn conflict(field: &str, fault: impl Into<String>) -> Self {
        let fault = fault.into();
        Self::new(
            StatusCode::CONFLICT,
            "conflict",
            "The request disagrees with what is known",
            format!("{field}: {fault}"),
        )
        .with_errors(vec![FieldFault::new(field, fault)])
    }

    /// A name that is taken, in the older contract's status.
    pub fn exists(field: &str) -> Self {
        let fault = "is taken already";
        Self::new(
            StatusCode::BAD_REQUEST,
            "already-exists",
            "There is one of that name already",
            format!("{field}: {fault}"),
        )
        .with_errors(vec![FieldFault::new(field, fault)])
    }

    /// Something well-formed that cannot be done, in the older contract's status.
    pub fn cannot(field: &str, fault: impl Into<String>) -> Self {
        let fault = fault.into();
        Self::new(
            StatusCode::BAD_REQUEST,
            "cannot-be-done",
            "What is asked for cannot be done",
            format!("{field}: {fault}"),
        )
        .with_errors(vec![FieldFault::new(field, fault)])
    }

    /// An `Idempotency-Key` that came with other content before.
    pub fn idempotency_mismatch() -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency-key-reused",
            "The Idempotency-Key was used for another request",
            "use a new key for a new request",
        )
        .with_errors(vec![FieldFault::new(
            "Idempotency-Key",
            "was used with other content",
        )])
    }

    /// An `Idempotency-Key` whose first request is still being worked on.
    pub fn idempotency_in_flight() -> Self {
        let mut problem = Self::new(
            StatusCode::CONFLICT,
            "idempotency-key-in-flight",
            "The first request with this Idempotency-Key is still being worked on",
            "ask again in a moment to get its answer",
        );
        problem.0.retry_after = Some(1);
        problem
    }

    /// A webhook that is not genuine.
    pub fn webhook_signature(error: &SignatureError) -> Self {
        let fault = match error {
            SignatureError::Missing => "missing",
            SignatureError::Malformed(_) => "malformed",
            SignatureError::Stale { .. } => "stale",
            SignatureError::Wrong => "wrong",
        };
        Self::new(
            StatusCode::BAD_REQUEST,
            "webhook-signature",
            "The webhook is not genuine",
            error.to_string(),
        )
        .with_errors(vec![FieldFault::new("signature", fault)])
    }

    /// A genuine webhook that does not read.
    pub fn webhook_body(error: &ParseError) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "webhook-body",
            "The webhook does not read",
            error.to_string(),
        )
        .with_errors(vec![FieldFault::new(&error.field, &error.fault)])
    }

    /// We are short of something for a moment.
    pub fn unavailable(detail: &str) -> Self {
        let mut problem = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "The service cannot do this right now",
            detail,
        );
        problem.0.retry_after = Some(COME_BACK);
        problem
    }

    /// A fault of ours. Why is in the log, under the request's id.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something went wrong on our side",
            "it has been noted; the instance names this request",
        )
    }

    /// The body is larger than is taken.
    pub fn too_large(limit: usize) -> Self {
        let fault = format!("is larger than {limit} bytes");
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body-too-large",
            "The body is too large",
            format!("the body {fault}"),
        )
        .with_errors(vec![FieldFault::new("body", fault)])
    }

    /// From a body that could not be taken in.
    pub fn from_payload(error: &PayloadError, limit: usize) -> Self {
        match error {
            PayloadError::Overflow => Self::too_large(limit),
            other => Self::malformed_body(format!("could not be read: {other}")),
        }
    }

    /// For the routes' extractors of paths: what does not read names nothing.
    pub fn from_path(_error: PathError, _request: &HttpRequest) -> actix_web::Error {
        Self::not_found("thing: its id does not read").into()
    }

    /// For the routes' extractors of queries.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the signature that actix asks for"
    )]
    pub fn from_query(error: QueryPayloadError, _request: &HttpRequest) -> actix_web::Error {
        Self::invalid_field("query", error.to_string()).into()
    }
}

/// Answers a path that no route has.
pub(crate) async fn no_route() -> Result<HttpResponse, Problem> {
    Err(Problem::not_found("path"))
}

impl From<DbError> for Problem {
    /// Passing trouble asks to come back; anything else is ours, and logged once, here.
    fn from(error: DbError) -> Self {
        if error.is_passing() {
            tracing::warn!(%error, "answered with 503");
            return Self::unavailable("the database is busy or away; nothing has changed");
        }
        let source = std::error::Error::source(&error).map(ToString::to_string);
        tracing::error!(%error, source, "answered with 500");
        Self::internal()
    }
}

impl From<IngestError> for Problem {
    fn from(error: IngestError) -> Self {
        match error {
            IngestError::Db(error) => error.into(),
            IngestError::Refused(fault) => (&fault).into(),
        }
    }
}

impl From<&ReportFault> for Problem {
    fn from(fault: &ReportFault) -> Self {
        match fault {
            ReportFault::Missing { field, reason } => {
                Self::invalid_field(*field, format!("is needed: {reason}"))
            }
            ReportFault::AmountDiffers { stored, .. } => Self::conflict(
                "amount",
                format!("differs: this transaction_ref owes {stored}"),
            ),
        }
    }
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Db(error) => error.into(),
            other @ VaultError::Connection(_) => {
                let source = std::error::Error::source(&other).map(ToString::to_string);
                tracing::error!(error = %other, source, "answered with 500");
                Self::internal()
            }
        }
    }
}

impl From<SealTrouble> for Problem {
    fn from(error: SealTrouble) -> Self {
        let source = std::error::Error::source(&error).map(ToString::to_string);
        tracing::error!(%error, source, "answered with 500");
        Self::internal()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.slug, self.0.detail)
    }
}

impl std::error::Error for Problem {}

impl Problem {
    /// As JSON: the body of an answer, or what is said of one item among many.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self.body()).unwrap_or_default()
    }

    fn body(&self) -> Body<'_> {
        Body {
            r#type: format!("{TYPES}{}", self.0.slug),
            title: self.0.title,
            status: self.0.status.as_u16(),
            detail: &self.0.detail,
            instance: request_id::current(),
            errors: &self.0.errors,
        }
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.status
    }

    fn error_response(&self) -> HttpResponse {
        let body = self.body();
        let mut answer = HttpResponse::build(self.0.status);
        answer.insert_header((CONTENT_TYPE, MEDIA_TYPE));
        if let Some(seconds) = self.0.retry_after {
            answer.insert_header((RETRY_AFTER, seconds.to_string()));
        }
        if self.0.slug == "unsupported-content-coding" {
            // What would be taken (RFC 9110, section 12.5.3).
            answer.insert_header((ACCEPT_ENCODING, "identity"));
        }
        if self.0.status == StatusCode::UNAUTHORIZED {
            answer.insert_header(("WWW-Authenticate", "Bearer"));
        }
        answer.body(serde_json::to_vec(&body).unwrap_or_default())
    }
}
