//! The way out of email, by the token of any link that was sent.

use utoipa::OpenApi;
pub(crate) mod ask;
pub(crate) mod confirm;

#[derive(OpenApi)]
#[openapi(paths(ask::show, confirm::confirm))]
pub(crate) struct Documented;
