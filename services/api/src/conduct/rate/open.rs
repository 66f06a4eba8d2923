//! The limits of requests that show nothing for themselves, and every answer's fields.

use std::collections::HashMap;
use std::sync::LazyLock;

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpResponse, ResponseError};

use super::Class;
use super::fields::Asked;
use crate::app::Api;
use crate::auth::address::client_address;
use crate::auth::permissions::{Needs, PERMISSIONS};
use crate::checkout::page::Notice;
use crate::problem::Problem;

/// The classes of the routes that need no caller, by method and pattern. Probes and
/// the style sheet are counted nowhere, webhooks where they are verified.
static OPEN: LazyLock<HashMap<(&str, &str), Class>> = LazyLock::new(|| {
    let open = PERMISSIONS
        .iter()
        .filter(|row| row.needs == Needs::NoCaller);
    let classes = open.filter_map(|row| Some(((row.method, row.path), class(row.path)?)));
    classes.collect()
});

fn class(path: &str) -> Option<Class> {
    let payers = ["/pay/", "/unsubscribe/", "/v1/recoveries/by_token/"];
    if path.starts_with("/v1/auth/") {
        Some(Class::Auth)
    } else if payers.iter().any(|start| path.starts_with(start)) {
        Some(Class::Payer)
    } else {
        None
    }
}

/// Wraps a request; see the module.
pub async fn limit(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody, BoxBody>>, Error> {
    let mut response = match refused(&request).await {
        Some(refusal) => request.into_response(refusal).map_into_right_body(),
        None => next.call(request).await?.map_into_left_body(),
    };
    let asked = response.request().extensions().get::<Asked>().cloned();
    if let Some(asked) = asked {
        asked.write(response.headers_mut());
    }
    Ok(response)
}

/// The answer to a request of nobody in particular that was one too many.
async fn refused(request: &ServiceRequest) -> Option<HttpResponse> {
    let pattern = request.match_pattern()?;
    let class = *OPEN.get(&(request.method().as_str(), pattern.as_str()))?;
    let api = request.app_data::<Data<Api>>()?;
    let address = client_address(request.request(), api.proxies);
    let asked = api.limiter.of_address(request.request(), address, class);
    let problem = asked.await.err()?;
    Some(if pattern.starts_with("/v1/") {
        problem.error_response()
    } else {
        page(api, &problem)
    })
}

/// A payer reads no JSON.
fn page(api: &Api, problem: &Problem) -> HttpResponse {
    let mut page = api.pages.notice(Notice::TooOften);
    if let Some(seconds) = problem.retry_after() {
        let value = HeaderValue::from(seconds);
        page.headers_mut().insert(RETRY_AFTER, value);
    }
    page
}
