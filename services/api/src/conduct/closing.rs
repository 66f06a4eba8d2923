//! Answers of a process that ends close their connection, and say so (RFC 9112, 9.6).
//!
//! The server itself closes idle connections once it stops. A client that asks at that very moment
//! would find its connection closed, and not know whether its request was heard.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::middleware::Next;
use actix_web::{Error, web::Data};

use crate::app::Api;

/// Wraps a request; see the module.
pub async fn last_answer(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let api = request.app_data::<Data<Api>>().cloned();
    let mut answer = next.call(request).await?;
    if api.is_some_and(|api| api.live.closing.is_cancelled()) {
        let head = answer.response_mut().head_mut();
        head.set_connection_type(ConnectionType::Close);
    }
    Ok(answer)
}
