//! When to write to a payer.

pub(crate) mod suggested_windows;

use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(paths(suggested_windows::list))]
pub(crate) struct Documented;
