//! What codes mean, and which ones nobody has told Tinko yet.

use utoipa::OpenApi;
mod asked;
mod view;

pub(crate) mod answer;
pub(crate) mod unknown;

#[derive(OpenApi)]
#[openapi(paths(answer::answer, unknown::list))]
pub(crate) struct Documented;
