//! Latencies of one kind, in microseconds.

use std::time::Duration;

use hdrhistogram::{CreationError, Histogram, RecordError};

/// Longer than anything that is worth a figure: a minute.
const SLOWEST_MICROS: u64 = 60_000_000;

/// None yet; three digits of each will be kept.
pub fn none() -> Result<Histogram<u64>, CreationError> {
    Histogram::new_with_max(SLOWEST_MICROS, 3)
}

/// Adds one, as a minute if it was longer.
pub fn record(latencies: &mut Histogram<u64>, latency: Duration) -> Result<(), RecordError> {
    let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
    latencies.record(micros.clamp(1, SLOWEST_MICROS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_too_quick_or_too_slow_to_be_kept() {
        let mut latencies = none().unwrap();
        for latency in [Duration::ZERO, Duration::from_hours(1)] {
            record(&mut latencies, latency).unwrap();
        }
        assert_eq!((latencies.len(), latencies.min()), (2, 1));
    }
}
