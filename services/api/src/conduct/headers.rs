//! What every answer tells browsers.

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::middleware::DefaultHeaders;

/// For everything but the hosted pages, which bring their own: nothing may be
/// loaded, and nobody may frame it.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";

/// Headers for every answer that does not bring its own.
pub fn defaults() -> DefaultHeaders {
    DefaultHeaders::new()
        .add((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .add((REFERRER_POLICY, "no-referrer"))
        .add((X_FRAME_OPTIONS, "DENY"))
        .add((CACHE_CONTROL, "no-store"))
        .add((CONTENT_SECURITY_POLICY, NOTHING))
        .add((
            HeaderName::from_static("cross-origin-opener-policy"),
            HeaderValue::from_static("same-origin"),
        ))
}

/// The policy of the hosted pages: our own style sheet, no script at all, and a
/// form that leads to a PSP. Browsers hold the redirect that answers a form
/// against `form-action` too, and merchants may have checkouts on domains of
/// their own, so every https address is allowed there, and `psps` besides,
/// which in development are not https.
pub(crate) fn page_policy(psps: &[String]) -> String {
    format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
         frame-ancestors 'none'; form-action 'self' https: {}",
        psps.join(" ")
    )
    .trim_end()
    .to_owned()
}
