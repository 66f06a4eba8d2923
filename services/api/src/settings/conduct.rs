//! How callers are treated: how much each may do.

use std::time::Duration;

use domain::rate::Limit;
use runtime::settings::Setting;
use serde::Deserialize;

use crate::conduct::cors::Origins;

/// The settings of `conduct`.
pub const CONDUCT: &[Setting] = &[
    Setting::optional(
        "TINKO__CORS_ORIGINS",
        "cors_origins",
        "Sites whose pages may call the API, as https://app.example.com, after commas; none when empty.",
    ),
    Setting::with_default(
        "TINKO__HSTS_SECONDS",
        "hsts_seconds",
        "31536000",
        "Seconds for which browsers come by https alone, said where TINKO__PUBLIC_BASE_URL is https; 0 says nothing.",
    ),
    Setting::with_default(
        "TINKO__RATE_READ",
        "rate_read",
        "200/s burst 1000",
        "How much an organization may read: so many requests a second (or `/min`), and so many at once. More is answered with 429.",
    ),
    Setting::with_default(
        "TINKO__RATE_WRITE",
        "rate_write",
        "50/s burst 500",
        "How often an organization may change something.",
    ),
    Setting::with_default(
        "TINKO__RATE_INGEST",
        "rate_ingest",
        "1000/s burst 5000",
        "How often an organization may report failures.",
    ),
    Setting::with_default(
        "TINKO__RATE_WEBHOOK",
        "rate_webhook",
        "1000/s burst 10000",
        "How many genuine webhooks a connection's PSP may send.",
    ),
    Setting::with_default(
        "TINKO__RATE_AUTH",
        "rate_auth",
        "2/s burst 60",
        "How often one network address may try to log in, refresh or register; failures are counted apart, more strictly.",
    ),
    Setting::with_default(
        "TINKO__RATE_PAYER",
        "rate_payer",
        "10/s burst 120",
        "How much one network address may ask of the payers' pages.",
    ),
    Setting::with_default(
        "TINKO__RATE_CALLER_PERCENT",
        "rate_caller_percent",
        "50",
        "What one key or user may have of its organization's limits, in percent, so that none uses up all of them.",
    ),
    Setting::with_default(
        "TINKO__STREAM_LISTENERS",
        "stream_listeners",
        "1000",
        "Most clients that follow `GET /v1/stream` in this process at once; more are answered with 503.",
    ),
    Setting::with_default(
        "TINKO__STREAM_LISTENERS_PER_ORGANIZATION",
        "stream_listeners_per_organization",
        "25",
        "Most of them that may be of one organization; more are answered with 429.",
    ),
    Setting::with_default(
        "TINKO__RATE_PATIENCE_MS",
        "rate_patience_ms",
        "5",
        "Milliseconds that a request waits for Redis to say whether it is within its limits; after that the process decides by itself.",
    ),
];

/// See [`CONDUCT`].
#[derive(Debug, Clone, Deserialize)]
pub struct ConductSettings {
    /// `TINKO__CORS_ORIGINS`.
    pub cors_origins: Option<String>,
    /// `TINKO__HSTS_SECONDS`.
    pub hsts_seconds: u32,
    /// `TINKO__RATE_READ`.
    pub rate_read: Limit,
    /// `TINKO__RATE_WRITE`.
    pub rate_write: Limit,
    /// `TINKO__RATE_INGEST`.
    pub rate_ingest: Limit,
    /// `TINKO__RATE_WEBHOOK`.
    pub rate_webhook: Limit,
    /// `TINKO__RATE_AUTH`.
    pub rate_auth: Limit,
    /// `TINKO__RATE_PAYER`.
    pub rate_payer: Limit,
    /// `TINKO__RATE_CALLER_PERCENT`.
    pub rate_caller_percent: u8,
    /// `TINKO__STREAM_LISTENERS`.
    pub stream_listeners: usize,
    /// `TINKO__STREAM_LISTENERS_PER_ORGANIZATION`.
    pub stream_listeners_per_organization: usize,
    /// `TINKO__RATE_PATIENCE_MS`.
    pub rate_patience_ms: u64,
}

impl ConductSettings {
    /// Sites whose pages may call.
    pub fn origins(&self) -> anyhow::Result<Origins> {
        Origins::parse(self.cors_origins.as_deref().unwrap_or_default())
    }

    /// How long Redis is waited for.
    pub const fn rate_patience(&self) -> Duration {
        Duration::from_millis(self.rate_patience_ms)
    }
}
