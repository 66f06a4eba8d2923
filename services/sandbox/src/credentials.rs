//! Reading credentials off a request.

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The user name and password of HTTP Basic authentication.
pub(crate) fn basic(request: &HttpRequest) -> Option<(String, String)> {
    let encoded = header(request)?.strip_prefix("Basic ")?;
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// The token of Bearer authentication.
pub(crate) fn bearer(request: &HttpRequest) -> Option<String> {
    Some(header(request)?.strip_prefix("Bearer ")?.trim().to_owned())
}

fn header(request: &HttpRequest) -> Option<&str> {
    request.headers().get(AUTHORIZATION)?.to_str().ok()
}
