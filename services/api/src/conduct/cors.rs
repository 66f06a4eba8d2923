//! Which other sites' pages may call: those that the operator lists, and only what a
//! frontend calls. Payers' pages and webhooks are nobody else's.

use actix_cors::Cors;
use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    ACCESS_CONTROL_EXPOSE_HEADERS, AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderName, IF_MATCH,
    IF_NONE_MATCH, LINK, RETRY_AFTER,
};
use actix_web::middleware::Next;
use anyhow::bail;
use url::Url;

use super::rate::{RATE_LIMIT, RATE_LIMIT_POLICY};

/// Seconds for which a browser may keep what it was told.
const KEPT: usize = 600;

/// Sites, as browsers name them: scheme, host, and port where it is not the usual one.
#[derive(Debug, Clone, Default)]
pub struct Origins(Vec<String>);

impl Origins {
    /// Reads them, after commas.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let mut origins = Vec::new();
        for text in text
            .split(',')
            .map(str::trim)
            .filter(|text| !text.is_empty())
        {
            let read = Url::parse(text).ok();
            let read = read.map(|url| url.origin().ascii_serialization());
            if read.as_deref() != Some(text) {
                bail!("TINKO__CORS_ORIGINS: {text} is no origin such as https://app.example.com");
            }
            origins.push(text.to_owned());
        }
        Ok(Self(origins))
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What answers their pages' requests.
    pub fn cors(&self) -> Cors {
        let origins = self.0.clone();
        let own = HeaderName::from_static;
        Cors::default()
            .allowed_origin_fn(move |origin, request| {
                is_for_frontends(request.uri.path())
                    && origins
                        .iter()
                        .any(|allowed| allowed.as_bytes() == origin.as_bytes())
            })
            .allowed_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
            .allowed_headers([
                AUTHORIZATION,
                CONTENT_TYPE,
                IF_MATCH,
                IF_NONE_MATCH,
                own("idempotency-key"),
                own("last-event-id"),
                own("traceparent"),
                own("tracestate"),
                own("x-api-key"),
                own("x-request-id"),
            ])
            .expose_headers([
                ETAG,
                LINK,
                RETRY_AFTER,
                RATE_LIMIT,
                RATE_LIMIT_POLICY,
                own("idempotency-replayed"),
                own("x-request-id"),
            ])
            .max_age(KEPT)
    }
}

/// What a frontend calls.
fn is_for_frontends(path: &str) -> bool {
    let not = ["/v1/webhooks/", "/v1/recoveries/by_token/"];
    (path.starts_with("/v1/") || path == "/openapi.json")
        && !not.iter().any(|start| path.starts_with(start))
}

/// Wraps a request around [`Origins::cors`], which would speak of itself in every answer.
pub async fn only_for_frontends(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let is_for_frontends = is_for_frontends(request.path());
    let mut response = next.call(request).await?;
    if !is_for_frontends {
        response.headers_mut().remove(ACCESS_CONTROL_EXPOSE_HEADERS);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_what_browsers_send_and_nothing_else() {
        let two = Origins::parse("https://app.example.com, http://localhost:5173").unwrap();
        assert_eq!(two.0.len(), 2);
        assert!(Origins::parse("").unwrap().is_empty());
        for bad in [
            "*",
            "app.example.com",
            "https://app.example.com/",
            "https://a.com:443",
            "null",
        ] {
            assert!(Origins::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn payers_pages_and_webhooks_are_for_no_frontend() {
        assert!(is_for_frontends("/v1/recoveries"));
        for path in [
            "/pay/x",
            "/unsubscribe/x",
            "/v1/webhooks/stripe",
            "/v1/recoveries/by_token/x",
        ] {
            assert!(!is_for_frontends(path), "{path}");
        }
    }
}
