//! Rows to take away, streamed: memory and connections do not grow with them.

pub(crate) mod recoveries;

use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(paths(recoveries::export))]
pub(crate) struct Documented;

/// Exports that one process writes at the same time. Each holds a connection
/// while it reads a batch, so at most so many of the pool's are with exports.
pub(crate) const AT_ONCE: usize = 2;
