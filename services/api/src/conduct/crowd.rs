//! No more requests at once than the process has room for.
//!
//! Ten connections to Postgres carry thousands of requests a second while it is quick. When
//! it is not, requests pile up, each with its body and what it has read so far. So there is
//! room for a number of them (`TINKO__REQUESTS_AT_ONCE`), and what exceeds it is refused at
//! once, before its body is read: 503 and `Retry-After`. Whoever has a place waits for a
//! connection no longer than `TINKO__DATABASE_ACQUIRE_TIMEOUT_MS`, and is refused alike.
//!
//! An answer that is streamed gives its place back when it begins; those have bounds of
//! their own (`crate::live`, exports).

use std::sync::Arc;

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, ResponseError};
use tokio::sync::Semaphore;

use crate::app::Api;
use crate::problem::Problem;

/// Wraps a request; see the module.
pub(crate) async fn bounded(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody, BoxBody>>, Error> {
    let room = request
        .app_data::<Data<Api>>()
        .map(|api| Arc::clone(&api.room));
    let place = room.map(Semaphore::try_acquire_owned).transpose();
    let Ok(_place) = place else {
        metrics::counter!("api_requests_crowded_out_total").increment(1);
        let why = "more is asked than there is room for; nothing has changed";
        let refusal = Problem::unavailable(why).error_response();
        return Ok(request.into_response(refusal).map_into_right_body());
    };
    next.call(request)
        .await
        .map(ServiceResponse::map_into_left_body)
}
