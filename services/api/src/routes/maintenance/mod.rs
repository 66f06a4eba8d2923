//! What operators of the installation have done on its tables. No organization's
//! administrator may: the tables are everyone's.

pub(crate) mod ensure;
pub(crate) mod prune;

use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(paths(ensure::ensure, prune::prune))]
pub(crate) struct Documented;
