//! The retry-worker's settings.

use std::num::NonZeroU32;
use std::time::Duration;

use backbone::BackboneSettings;
use chrono::TimeDelta;
use connections::ConnectionSettings;
use runtime::settings::{COMMON, Common, Setting};
use secrecy::SecretString;
use serde::Deserialize;

/// What the retry-worker adds to the settings that every service has.
pub const SETTINGS: &[Setting] = &[
    Setting::required(
        "TINKO__LINK_KEY",
        "link_key",
        "Derives the tokens of recovery links: base64 of 32 bytes, the same for every service.",
    )
    .secret(),
    Setting::with_default(
        "TINKO__ATTEMPT_CONCURRENCY",
        "attempt_concurrency",
        "64",
        "Most attempts acted on at the same time by this process.",
    ),
    Setting::with_default(
        "TINKO__LEASE_MS",
        "lease_ms",
        "120000",
        "Milliseconds for which a claimed attempt is believed to be under way; longer than a charge with its look-ups can take.",
    ),
    Setting::with_default(
        "TINKO__POLL_MS",
        "poll_ms",
        "1000",
        "Most milliseconds between two looks for due attempts.",
    ),
    Setting::with_default(
        "TINKO__HOUSEKEEPING_MS",
        "housekeeping_ms",
        "1000",
        "Milliseconds between two rounds of sweeping the outbox and closing recoveries whose time is over.",
    ),
    Setting::with_default(
        "TINKO__PSP_TIMEOUT_MS",
        "psp_timeout_ms",
        "10000",
        "Milliseconds that one request to a PSP may take, retries included.",
    ),
    Setting::with_default(
        "TINKO__CONSUMER_CONCURRENCY",
        "consumer_concurrency",
        "16",
        "Most failure events planned at the same time by this process.",
    ),
    Setting::with_default(
        "TINKO__TAKE_OVER_AFTER_MS",
        "take_over_after_ms",
        "30000",
        "Milliseconds after which a silent process's stream entries are taken over.",
    ),
    Setting::with_default(
        "TINKO__RECON_DAYS",
        "recon_days",
        "30",
        "Days that the daily comparison with the PSPs goes back for recoveries that have ended, at most 365; 0 for no daily comparison.",
    ),
    Setting::with_default(
        "TINKO__RECON_LOOKUPS_PER_SECOND",
        "recon_lookups_per_second",
        "5",
        "Look-ups a second that a comparison makes over one PSP connection. Stripe takes 100 requests a second of an account, 25 in test mode, from charges and checkouts too.",
    ),
    Setting::with_default(
        "TINKO__RECON_CONCURRENCY",
        "recon_concurrency",
        "4",
        "Most organizations that this process compares with their PSPs at the same time.",
    ),
];

/// Every table, for loading and for `--print-settings`.
pub const TABLES: [&[Setting]; 4] = [COMMON, backbone::SETTINGS, connections::SETTINGS, SETTINGS];

/// See [`SETTINGS`].
#[derive(Debug, Clone, Deserialize)]
pub struct Settings {
    /// What every binary has.
    #[serde(flatten)]
    pub common: Common,
    /// Postgres and Redis.
    #[serde(flatten)]
    pub backbone: BackboneSettings,
    /// What opens connections, and where the PSPs are.
    #[serde(flatten)]
    pub connections: ConnectionSettings,
    /// `TINKO__LINK_KEY`.
    pub link_key: SecretString,
    /// `TINKO__ATTEMPT_CONCURRENCY`.
    pub attempt_concurrency: usize,
    /// `TINKO__LEASE_MS`.
    pub lease_ms: u32,
    /// `TINKO__POLL_MS`.
    pub poll_ms: u64,
    /// `TINKO__HOUSEKEEPING_MS`.
    pub housekeeping_ms: u64,
    /// `TINKO__PSP_TIMEOUT_MS`.
    pub psp_timeout_ms: u64,
    /// `TINKO__CONSUMER_CONCURRENCY`.
    pub consumer_concurrency: usize,
    /// `TINKO__TAKE_OVER_AFTER_MS`.
    pub take_over_after_ms: u64,
    /// `TINKO__RECON_DAYS`.
    pub recon_days: u16,
    /// `TINKO__RECON_LOOKUPS_PER_SECOND`.
    pub recon_lookups_per_second: NonZeroU32,
    /// `TINKO__RECON_CONCURRENCY`.
    pub recon_concurrency: usize,
}

impl Settings {
    /// How long a claim is believed.
    pub fn lease(&self) -> TimeDelta {
        TimeDelta::milliseconds(i64::from(self.lease_ms))
    }

    /// The longest that one request to a PSP may take.
    pub const fn psp_timeout(&self) -> Duration {
        Duration::from_millis(self.psp_timeout_ms)
    }

    /// The longest pause between two looks for due attempts.
    pub const fn poll(&self) -> Duration {
        Duration::from_millis(self.poll_ms)
    }
}
