//! Parameters that several routes have.

use utoipa::IntoParams;

/// Makes a change to what was seen, and to nothing else.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it is only described; `conduct::etag` reads it")]
pub(crate) struct IfMatchTag {
    /// The `ETag` with which the thing was read. If it is another by now, nothing is
    /// changed, and the answer is 412.
    #[param(
        rename = "If-Match",
        required = false,
        example = "\"3q2-7wAAAAAAAAAAAAAAAA\""
    )]
    if_match: Option<String>,
}

/// Makes a request safe to send again.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(
    dead_code,
    reason = "it is only described; `conduct::idempotency` reads it"
)]
pub(crate) struct IdempotencyKey {
    /// Of the caller's own making. A request that is sent again under the same key has
    /// its effect once, and gets its first answer again, with `Idempotency-Replayed: true`.
    #[param(
        rename = "Idempotency-Key",
        required = false,
        min_length = 1,
        max_length = 255,
        example = "order-1042-failed"
    )]
    idempotency_key: Option<String>,
}
