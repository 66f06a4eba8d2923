//! Who calls, as far as they may know of themselves.

pub(crate) mod caller;
pub(crate) mod organization;
pub(crate) mod user;

use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(paths(caller::show, user::show, organization::show))]
pub(crate) struct Documented;
