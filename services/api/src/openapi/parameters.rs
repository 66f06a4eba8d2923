//! Parameters that several routes have.

use utoipa::IntoParams;

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
