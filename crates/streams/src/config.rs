//! Settings.

use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

/// Where Redis is and how the streams lie in it. The same for every service.
#[derive(Debug, Clone)]
pub struct StreamsConfig {
    /// `redis://[user:password@]host:port/db`, `rediss://…` for TLS, or `unix:///path`.
    pub redis_url: SecretString,
    /// PEM file of the authority that vouches for a Redis with TLS; the system's when
    /// there is none.
    pub ca_file: Option<PathBuf>,
    /// What every key begins with.
    pub prefix: String,
    /// Into how many keys each stream is split. Changing it strands what lies
    /// in shards that are no longer read; the sweeper publishes that again.
    pub shards: NonZeroU16,
    /// The most connections for everything but blocking reads, an instance.
    pub pool_size: u32,
    /// How long to wait for a connection, then for an answer, each.
    pub patience: Duration,
    /// How many dead letters a shard keeps, about; the oldest go first. Their
    /// outbox rows in Postgres stay.
    pub dead_letters_kept: usize,
}

impl StreamsConfig {
    /// One shard under `tinko`, 8 connections, 2 s of patience, 10,000 dead letters.
    pub fn new(redis_url: SecretString) -> Self {
        Self {
            redis_url,
            ca_file: None,
            prefix: "tinko".to_owned(),
            shards: NonZeroU16::MIN,
            pool_size: 8,
            patience: Duration::from_secs(2),
            dead_letters_kept: 10_000,
        }
    }
}

/// How one process reads one stream.
#[derive(Debug, Clone)]
pub struct ConsumerConfig {
    /// The group: one a stream, the same in every replica.
    pub group: String,
    /// This process's name in the group. Unique, and new at each start: what a
    /// dead process held is found under its old name.
    pub consumer: String,
    /// The most fresh entries held, waiting for their turn included. Entries
    /// taken over are counted apart, up to as many again. At least `concurrency`.
    pub prefetch: usize,
    /// The most entries handled at the same time; at least 1.
    pub concurrency: usize,
    /// The most of those that may be of one organization; at least 1. What exceeds it
    /// waits aside, up to four times `prefetch` a shard, and lets others pass.
    pub per_organization: usize,
    /// How long a read waits in Redis for something new; whole milliseconds.
    pub block: Duration,
    /// The idle time after which an entry's process is taken for dead. A third
    /// of it is the heartbeat's period. Whole milliseconds.
    pub take_over_after: Duration,
    /// How long after its first failure an entry comes back; doubled at each
    /// further one, up to `take_over_after`.
    pub retry_after: Duration,
    /// At which delivery a failure is final; at least 1.
    pub max_deliveries: u64,
    /// After how long without a sign of life the name of a consumer that holds
    /// nothing is removed from the group.
    pub forget_after: Duration,
}

impl ConsumerConfig {
    /// 64 held, 16 at once, take-over after 30 s, back-off from 500 ms, ten
    /// deliveries (about two and a half minutes).
    pub fn new(group: impl Into<String>, consumer: impl Into<String>) -> Self {
        Self {
            group: group.into(),
            consumer: consumer.into(),
            prefetch: 64,
            concurrency: 16,
            per_organization: usize::MAX,
            block: Duration::from_secs(2),
            take_over_after: Duration::from_secs(30),
            retry_after: Duration::from_millis(500),
            max_deliveries: 10,
            forget_after: Duration::from_hours(1),
        }
    }

    /// How long an entry rests after failing at its `deliveries`th delivery.
    pub(crate) fn back_off(&self, deliveries: u64) -> Duration {
        let doublings = u32::try_from(deliveries.saturating_sub(1)).unwrap_or(u32::MAX);
        let factor = 2u32.checked_pow(doublings).unwrap_or(u32::MAX);
        self.retry_after
            .saturating_mul(factor)
            .min(self.take_over_after)
    }

    /// How often the held entries' idle time is set back.
    pub(crate) fn heartbeat(&self) -> Duration {
        (self.take_over_after / 3).max(Duration::from_millis(1))
    }

    /// How often entries that are due again are looked for: often enough that
    /// the back-off is kept to, seldom enough that idling is free.
    pub(crate) fn scan(&self) -> Duration {
        (self.take_over_after.min(self.retry_after) / 2)
            .clamp(Duration::from_millis(20), Duration::from_secs(1))
    }
}

/// Whole milliseconds, as Redis takes them.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_back_off_doubles_up_to_the_take_over_time() {
        let config = ConsumerConfig::new("group", "consumer");
        let seconds: Vec<_> = (1..=9)
            .map(|deliveries| config.back_off(deliveries).as_millis())
            .collect();
        assert_eq!(
            seconds,
            [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]
        );
        assert_eq!(config.back_off(u64::MAX), config.take_over_after);
    }
}
