//! Reports of failed payments, by partners.

pub(crate) mod opt_in;
pub(crate) mod report;

pub(crate) mod batch;
pub(crate) mod by_ref;
pub(crate) mod payment_failed;

use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(paths(payment_failed::report, by_ref::list, batch::report))]
pub(crate) struct Documented;
