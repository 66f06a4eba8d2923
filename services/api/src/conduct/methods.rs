//! HEAD where there is a GET, and what a path takes.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::ALLOW;
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest, HttpResponse, ResponseError};

use crate::auth::permissions::PERMISSIONS;
use crate::problem::Problem;

/// It never ends, so that there is no answer of which to send the head alone.
const ENDLESS: &str = "/v1/stream";

fn has(method: &str, pattern: &str) -> bool {
    PERMISSIONS
        .iter()
        .any(|row| row.method == method && row.path == pattern)
}

/// Wraps a request: a HEAD is worked on as the GET of its path, unless the path has
/// its own; the server sends no body to it (RFC 9110, section 9.3.2).
pub async fn head_as_get(
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if *request.method() == Method::HEAD
        && let Some(pattern) = request.match_pattern()
        && has("GET", &pattern)
        && !has("HEAD", &pattern)
        && pattern != ENDLESS
    {
        request.head_mut().method = Method::GET;
    }
    next.call(request).await
}

/// What a path takes, as `Allow` has it.
fn allowed(pattern: &str) -> String {
    let rows = PERMISSIONS.iter().filter(|row| row.path == pattern);
    let mut methods: Vec<&str> = rows.map(|row| row.method).collect();
    if methods.contains(&"GET") && !methods.contains(&"HEAD") && pattern != ENDLESS {
        methods.push("HEAD");
    }
    methods.push("OPTIONS");
    methods.join(", ")
}

/// Answers a method that the path does not have, and OPTIONS, which asks what it has.
pub(crate) async fn other(request: HttpRequest) -> HttpResponse {
    let allowed = allowed(&request.match_pattern().unwrap_or_default());
    let mut answer = if *request.method() == Method::OPTIONS {
        HttpResponse::NoContent().finish()
    } else {
        Problem::method_not_allowed(request.method()).error_response()
    };
    if let Ok(value) = allowed.parse() {
        answer.headers_mut().insert(ALLOW, value);
    }
    answer
}
