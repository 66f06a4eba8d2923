//! Sessions: one's own, and for administrators everybody's of the organization.

use utoipa::OpenApi;
pub(crate) mod end;
pub(crate) mod list;

#[derive(OpenApi)]
#[openapi(paths(list::list, end::end))]
pub(crate) struct Documented;
