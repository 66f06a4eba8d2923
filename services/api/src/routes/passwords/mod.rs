//! Passwords: another one, by the old one or by a link that was mailed.

pub(crate) mod change;
pub(crate) mod request_reset;
pub(crate) mod reset;

use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(paths(change::change, request_reset::request, reset::reset))]
pub(crate) struct Documented;
