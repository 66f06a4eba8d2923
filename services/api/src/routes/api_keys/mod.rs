//! API keys, for administrators.

use utoipa::OpenApi;
pub(crate) mod list;
pub(crate) mod make;
pub(crate) mod revoke;
pub(crate) mod rotate;

#[derive(OpenApi)]
#[openapi(paths(list::list, make::make, revoke::revoke, rotate::rotate))]
pub(crate) struct Documented;
