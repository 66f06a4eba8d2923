//! The metrics. The only label is `stream`, one of [`Stream::ALL`].

use std::time::Duration;

use contracts::{Envelope, Stream};
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use crate::{Memory, Position};

/// Entries that Redis took.
pub const PUBLISHED: &str = "stream_published_total";
/// Entries whose publishing failed; the sweeper publishes them again.
pub const PUBLISH_FAILED: &str = "stream_publish_failed_total";
/// Fresh entries read.
pub const READ: &str = "stream_read_total";
/// Entries handled and acknowledged.
pub const CONSUMED: &str = "stream_consumed_total";
/// Deliveries that failed and will come back.
pub const RETRIED: &str = "stream_retried_total";
/// Deliveries that were not begun, since what they need was away; not counted.
pub const PUT_BACK: &str = "stream_put_back_total";
/// Entries given up.
pub const DEAD: &str = "stream_dead_total";
/// Deliveries of entries that had been delivered before.
pub const REDELIVERED: &str = "stream_redelivered_total";
/// Times that a consumer's connection or command failed.
pub const REDIS_ERRORS: &str = "stream_redis_errors_total";
/// Entries that nobody has read yet.
pub const LAG: &str = "stream_lag";
/// Entries read and not yet acknowledged.
pub const PENDING: &str = "stream_pending";
/// Age of the oldest entry read and not yet acknowledged.
pub const OLDEST_PENDING: &str = "stream_oldest_pending_seconds";
/// Dead letters that lie there.
pub const DEAD_LETTERS: &str = "stream_dead_letters";
/// Bytes that Redis holds.
pub const MEMORY_USED: &str = "redis_memory_used_bytes";
/// Bytes at which Redis takes no more.
pub const MEMORY_LIMIT: &str = "redis_memory_limit_bytes";
/// How long handlers take.
pub const HANDLE: &str = "stream_handle_seconds";

/// Gives the metrics their help texts. Call once, after the recorder is installed.
pub fn describe() {
    describe_counter!(PUBLISHED, "Entries that Redis took.");
    describe_counter!(
        PUBLISH_FAILED,
        "Entries whose publishing failed; the sweeper publishes them again."
    );
    describe_counter!(READ, "Fresh entries read.");
    describe_counter!(CONSUMED, "Entries handled and acknowledged.");
    describe_counter!(RETRIED, "Deliveries that failed and will come back.");
    describe_counter!(
        PUT_BACK,
        "Deliveries that were not begun, since what they need was away."
    );
    describe_counter!(DEAD, "Entries given up as dead letters.");
    describe_counter!(
        REDELIVERED,
        "Deliveries of entries that had been delivered before."
    );
    describe_counter!(
        REDIS_ERRORS,
        "Times that a consumer's connection or command failed."
    );
    describe_gauge!(LAG, "Entries that nobody has read yet.");
    describe_gauge!(PENDING, "Entries read and not yet acknowledged.");
    describe_gauge!(
        OLDEST_PENDING,
        metrics::Unit::Seconds,
        "Age of the oldest entry read and not yet acknowledged."
    );
    describe_gauge!(DEAD_LETTERS, "Dead letters that lie there.");
    describe_gauge!(MEMORY_USED, metrics::Unit::Bytes, "Bytes that Redis holds.");
    describe_gauge!(
        MEMORY_LIMIT,
        metrics::Unit::Bytes,
        "Bytes at which Redis takes no more: its maxmemory, or the machine's memory."
    );
    describe_histogram!(
        HANDLE,
        metrics::Unit::Seconds,
        "How long a handler took for one delivery."
    );
}

pub(crate) fn published(batch: &[Envelope], ok: bool) {
    let name = if ok { PUBLISHED } else { PUBLISH_FAILED };
    for stream in Stream::ALL {
        let count = batch.iter().filter(|it| it.stream() == stream).count();
        if count > 0 {
            counter!(name, "stream" => stream.as_str()).increment(count as u64);
        }
    }
}

pub(crate) fn count(name: &'static str, stream: Stream, by: usize) {
    counter!(name, "stream" => stream.as_str()).increment(by as u64);
}

pub(crate) fn handled(stream: Stream, took: Duration) {
    histogram!(HANDLE, "stream" => stream.as_str()).record(took);
}

pub(crate) fn stands(stream: Stream, position: &Position) {
    let set = |name, value: u64| {
        gauge!(name, "stream" => stream.as_str()).set(u32::try_from(value).unwrap_or(u32::MAX));
    };
    set(LAG, position.lag);
    set(PENDING, position.pending);
    set(DEAD_LETTERS, position.dead);
    gauge!(OLDEST_PENDING, "stream" => stream.as_str())
        .set(position.oldest_pending_age.unwrap_or_default());
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge is a float; 2^53 bytes are 9 PB"
)]
pub(crate) fn holds(memory: Memory) {
    gauge!(MEMORY_USED).set(memory.used as f64);
    gauge!(MEMORY_LIMIT).set(memory.limit as f64);
}
