//! The OpenAPI document and the page that shows it.

pub(crate) mod document;
pub(crate) mod page;
pub(crate) mod part;
pub(crate) mod root;

use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(paths(document::show, page::show, part::show, root::redirect))]
pub(crate) struct Documented;
