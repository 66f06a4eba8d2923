//! What Tinko writes to a payment's metadata (Stripe) or notes (Razorpay), so
//! that a webhook about it leads back to its recovery.

/// The recovery that a payment was made for.
pub(crate) const RECOVERY_KEY: &str = "tinko_recovery_id";
/// The attempt that made it.
pub(crate) const ATTEMPT_KEY: &str = "tinko_attempt_id";
/// The merchant's own reference; merchants may set it on their own payments too.
pub(crate) const TRANSACTION_KEY: &str = "transaction_ref";

/// The second in which an id was born: a `UUIDv7`'s first 48 bits are
/// milliseconds. What a request says of time is reckoned from here, so that
/// the request is the same whenever it is repeated.
pub(crate) fn born<K: domain::id::Kind>(id: domain::Id<K>) -> i64 {
    let millis = id.uuid().as_u128() >> 80;
    i64::try_from(millis / 1_000).unwrap_or(i64::MAX)
}
