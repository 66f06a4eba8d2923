//! One span, one metric and one time limit a request.
//!
//! Names and attributes follow OpenTelemetry's conventions for HTTP servers: the
//! span is called by method and route (never by path: a path holds tokens).

use std::time::Duration;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use domain::id::PspEvent;
use runtime::trace::{self, TRACEPARENT, TraceContext};
use tokio::time::Instant;
use tracing::{Instrument, Span, field};

use super::request_id;
use crate::app::Api;
use crate::problem::Problem;

/// What a route that no path matches is called, so that scanners make no metric series.
const UNMATCHED: &str = "unmatched";

/// A request, as metrics, span and headers speak of it.
struct Seen {
    method: &'static str,
    route: String,
    span: Span,
    id: String,
    began: Instant,
}

/// Wraps a request; see the module.
pub async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let seen = Seen::of(&request);
    let limit = request
        .app_data::<Data<Api>>()
        .map_or(Duration::from_secs(30), |api| api.request_timeout);
    let work = async {
        tokio::time::timeout(limit, next.call(request))
            .await
            .unwrap_or_else(|_| {
                Err(Problem::unavailable("the request took too long and was given up").into())
            })
    };
    let result = request_id::within(seen.id.clone(), work)
        .instrument(seen.span.clone())
        .await;
    let status = result.as_ref().map_or_else(
        |error| error.as_response_error().status_code(),
        ServiceResponse::status,
    );
    seen.ended_with(status.as_u16());
    result.map(|mut response| {
        seen.write_headers(&mut response);
        response
    })
}

impl Seen {
    fn of(request: &ServiceRequest) -> Self {
        let method = known_method(request.method());
        let route = request
            .match_pattern()
            .unwrap_or_else(|| UNMATCHED.to_owned());
        let id = request_id::given(request.headers()).unwrap_or_else(|| fresh_id(request));
        let span = tracing::info_span!(
            "http.request",
            otel.name = format!("{method} {route}"),
            otel.kind = "server",
            otel.status_code = field::Empty,
            http.request.method = method,
            http.route = route,
            http.response.status_code = field::Empty,
            error.type = field::Empty,
            request.id = id,
            organization.id = field::Empty,
            recovery.id = field::Empty,
        );
        if takes_traces(&route) {
            let header = |name: &str| {
                let value = request.headers().get(name)?;
                value.to_str().ok().map(str::to_owned)
            };
            trace::continue_from(&span, &TraceContext::from_headers(header));
        }
        Self {
            method,
            route,
            span,
            id,
            began: Instant::now(),
        }
    }

    fn ended_with(&self, status: u16) {
        self.span.record("http.response.status_code", status);
        if status >= 500 {
            self.span.record("otel.status_code", "ERROR");
            self.span.record("error.type", field::display(status));
        }
        let seconds = self.began.elapsed().as_secs_f64();
        // Within the span, so that the figure leads to its trace.
        let _entered = self.span.enter();
        metrics::histogram!(
            "http_server_request_duration_seconds",
            "method" => self.method,
            "route" => self.route.clone(),
            "status" => status.to_string(),
        )
        .record(seconds);
        tracing::debug!(status, seconds, "answered");
    }

    fn write_headers<B>(&self, response: &mut ServiceResponse<B>) {
        let headers = response.headers_mut();
        if let Ok(id) = HeaderValue::from_str(&self.id) {
            headers.insert(HeaderName::from_static(request_id::HEADER), id);
        }
        let trace = TraceContext::of(&self.span).traceparent;
        if let Some(Ok(parent)) = trace.map(|text| HeaderValue::from_str(&text)) {
            headers.insert(HeaderName::from_static(TRACEPARENT), parent);
        }
    }
}

/// Partners' calls go on with the partner's trace. A payer's browser and a PSP
/// have none that we know of, and must not choose ours.
fn takes_traces(route: &str) -> bool {
    route.starts_with("/v1/")
        && !route.starts_with("/v1/webhooks/")
        && !route.starts_with("/v1/recoveries/by_token/")
}

/// A made-up method must not make a metric series.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "_OTHER",
    }
}

fn fresh_id(request: &ServiceRequest) -> String {
    request
        .app_data::<Data<Api>>()
        .map_or_else(String::new, |api| {
            let now = api.backbone.clock.now();
            let id = domain::Id::<PspEvent>::new(now, &mut api.backbone.db.fork_rng());
            id.uuid().to_string()
        })
}

/// Notes on the request's span whose data it is about.
pub(crate) fn about_organization(organization: domain::id::OrganizationId) {
    Span::current().record("organization.id", field::display(organization));
}

/// Notes on the request's span which recovery it is about.
pub(crate) fn about_recovery(recovery: domain::id::RecoveryId) {
    Span::current().record("recovery.id", field::display(recovery));
}
