//! What the older contract has under `/v1/retry` besides policies.

pub(crate) mod notifications;
pub(crate) mod retry_now;
pub(crate) mod stats;
pub(crate) mod trigger_due;
mod which;

use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(paths(
    stats::show,
    notifications::list,
    retry_now::retry,
    trigger_due::trigger
))]
pub(crate) struct Documented;
