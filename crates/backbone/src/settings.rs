//! How to reach Postgres and Redis.

use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use db::DbConfig;
use runtime::settings::Setting;
use secrecy::SecretString;
use serde::Deserialize;
use streams::StreamsConfig;

/// The settings that every service needs to reach Postgres and Redis.
pub const SETTINGS: &[Setting] = &[
    Setting::required(
        "DATABASE_URL",
        "database_url",
        "Postgres, as postgres://user:password@host:port/database. ?sslmode=verify-full asks for TLS (require and verify-ca, as libpq has them, for less), &sslrootcert=/path/to/ca.crt names the authority that vouches for it, else the system's do. A pooler in transaction mode must be PgBouncer 1.21 or newer with max_prepared_statements above 0; any other is refused at the start.",
    )
    .secret(),
    Setting::with_default(
        "TINKO__DATABASE_MAX_CONNECTIONS",
        "database_max_connections",
        "10",
        "Most Postgres connections of this process.",
    ),
    Setting::with_default(
        "TINKO__DATABASE_ACQUIRE_TIMEOUT_MS",
        "database_acquire_timeout_ms",
        "3000",
        "Milliseconds to wait for a free Postgres connection before shedding the work.",
    ),
    Setting::required(
        "REDIS_URL",
        "redis_url",
        "Redis, as redis://user:password@host:port/db, or rediss:// for TLS. It may be lost whole: Postgres is the truth.",
    )
    .secret(),
    Setting::optional(
        "TINKO__REDIS_CA_FILE",
        "redis_ca_file",
        "PEM file with the certificate of the authority that vouches for a Redis at rediss://; the system's authorities when absent.",
    ),
    Setting::with_default(
        "TINKO__STREAM_PREFIX",
        "stream_prefix",
        "tinko",
        "What every Redis key begins with; the same for every service of an installation.",
    ),
    Setting::with_default(
        "TINKO__STREAM_SHARDS",
        "stream_shards",
        "1",
        "Into how many keys each stream is split, for a Redis Cluster; the same for every service.",
    ),
    Setting::with_default(
        "TINKO__MESSAGES_AHEAD",
        "messages_ahead",
        "256",
        "About how many messages of one organization and channel lie in Redis at most, ahead of what other organizations send; further ones wait in Postgres. At least 1; the same for every service.",
    ),
];

/// See [`SETTINGS`].
#[derive(Debug, Clone, Deserialize)]
pub struct BackboneSettings {
    /// `DATABASE_URL`.
    pub database_url: SecretString,
    /// `TINKO__DATABASE_MAX_CONNECTIONS`.
    pub database_max_connections: u32,
    /// `TINKO__DATABASE_ACQUIRE_TIMEOUT_MS`.
    pub database_acquire_timeout_ms: u64,
    /// `REDIS_URL`.
    pub redis_url: SecretString,
    /// `TINKO__REDIS_CA_FILE`.
    pub redis_ca_file: Option<PathBuf>,
    /// `TINKO__STREAM_PREFIX`.
    pub stream_prefix: String,
    /// `TINKO__STREAM_SHARDS`.
    pub stream_shards: NonZeroU16,
    /// `TINKO__MESSAGES_AHEAD`.
    pub messages_ahead: NonZeroU16,
}

impl BackboneSettings {
    pub(crate) fn db(&self) -> DbConfig {
        DbConfig {
            url: self.database_url.clone(),
            max_connections: self.database_max_connections,
            acquire_timeout: Duration::from_millis(self.database_acquire_timeout_ms),
        }
    }

    pub(crate) fn streams(&self) -> StreamsConfig {
        StreamsConfig {
            ca_file: self.redis_ca_file.clone(),
            prefix: self.stream_prefix.clone(),
            shards: self.stream_shards,
            ..StreamsConfig::new(self.redis_url.clone())
        }
    }
}
