//! Steps of recoveries: charges and messages.

pub(crate) mod list;
pub(crate) mod show;
mod view;

use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(paths(list::list, show::show))]
pub(crate) struct Documented;
