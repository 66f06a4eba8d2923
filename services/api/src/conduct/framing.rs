//! Requests of two lengths: what two servers may take for two different requests.
//!
//! A request with both `Content-Length` and `Transfer-Encoding` is how one is smuggled past a proxy
//! that believes the other header (RFC 9112, section 6.1). `actix_web` believes `Transfer-Encoding`
//! and refuses each header twice, or of a kind it does not know; this refuses the two together, and
//! closes the connection, so that nothing behind it is taken for a request of anybody's.

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use actix_web::http::{ConnectionType, Version};
use actix_web::middleware::Next;
use actix_web::{Error, ResponseError};

use crate::problem::Problem;

/// Wraps a request; see the module.
pub async fn one_length(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody, BoxBody>>, Error> {
    let headers = request.headers();
    // An older client's `Transfer-Encoding` means nothing, and must not come at all.
    let by_chunks = headers.contains_key(TRANSFER_ENCODING);
    let is_old = request.version() < Version::HTTP_11;
    if by_chunks && (is_old || headers.contains_key(CONTENT_LENGTH)) {
        let mut refusal = Problem::two_lengths().error_response();
        let head = refusal.head_mut();
        head.set_connection_type(ConnectionType::Close);
        return Ok(request.into_response(refusal).map_into_right_body());
    }
    next.call(request)
        .await
        .map(ServiceResponse::map_into_left_body)
}
