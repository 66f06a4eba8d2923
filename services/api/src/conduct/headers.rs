//! What every answer tells browsers.

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::middleware::DefaultHeaders;

/// For everything but the hosted pages, which bring their own: nothing may be
/// loaded, and nobody may frame it.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";

/// What no page of ours needs of a browser.
const NO_FEATURES: &str = "accelerometer=(), camera=(), display-capture=(), geolocation=(), \
                           gyroscope=(), microphone=(), midi=(), payment=(), usb=()";

/// Headers for every answer that does not bring its own. With `hsts`, browsers
/// come by https alone for so many seconds (RFC 6797).
pub fn defaults(hsts: Option<u32>) -> DefaultHeaders {
    let headers = match hsts {
        Some(seconds) => {
            let kept = format!("max-age={seconds}");
            DefaultHeaders::new().add((STRICT_TRANSPORT_SECURITY, kept))
        }
        None => DefaultHeaders::new(),
    };
    let own = |name: &'static str, value: &'static str| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )
    };
    headers
        .add((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .add((REFERRER_POLICY, "no-referrer"))
        .add((X_FRAME_OPTIONS, "DENY"))
        .add((CACHE_CONTROL, "no-store"))
        .add((CONTENT_SECURITY_POLICY, NOTHING))
        .add(own("cross-origin-opener-policy", "same-origin"))
        .add(own("cross-origin-resource-policy", "same-origin"))
        .add(own("permissions-policy", NO_FEATURES))
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
