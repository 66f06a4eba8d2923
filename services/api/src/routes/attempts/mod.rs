//! Steps of recoveries: charges and messages.

pub(crate) mod list;
pub(crate) mod show;
mod view;

use utoipa::OpenApi;

pub(crate) use view::AttemptView;

#[derive(OpenApi)]
#[openapi(paths(list::list, show::show))]
pub(crate) struct Documented;
