//! Comparisons of the organization's recoveries with what its PSPs say. The
//! worker makes them; here they are asked for and shown.

use utoipa::OpenApi;
mod view;

pub(crate) mod list;
pub(crate) mod results;
pub(crate) mod run;
pub(crate) mod show;

#[derive(OpenApi)]
#[openapi(paths(run::run, list::list, show::show, results::list))]
pub(crate) struct Documented;
