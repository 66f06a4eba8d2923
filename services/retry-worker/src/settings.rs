//! The retry-worker's settings.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use backbone::{BackboneSettings, CircuitSettings, Percent};
use chrono::TimeDelta;
use connections::ConnectionSettings;
use db::retention::Kept;
use runtime::settings::{COMMON, Common, Setting};
use secrecy::SecretString;
use serde::Deserialize;

use crate::places::{Limits, Places};

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
        "TINKO__ORGANIZATION_SHARE_PERCENT",
        "organization_share_percent",
        "50",
        "Most of those places that one organization may hold, from 1 to 100 percent, and at least one; what exceeds it stays due.",
    ),
    Setting::with_default(
        "TINKO__PROVIDER_SHARE_PERCENT",
        "provider_share_percent",
        "75",
        "Most of those places that charges over one PSP may hold, from 1 to 100 percent, and at least one.",
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
        "64",
        "Most failure events that this process has in hand; those of an organization that come at once are planned together.",
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
    Setting::with_default(
        "TINKO__KEEP_HISTORY_MONTHS",
        "keep_history_months",
        "36",
        "Whole months besides the current one for which failures, attempts, notifications, decisions and timelines are kept, 2 to 240; 0 for ever. A month with rows of an open recovery stays.",
    ),
    Setting::with_default(
        "TINKO__KEEP_PSP_EVENTS_MONTHS",
        "keep_psp_events_months",
        "36",
        "Whole months for which PSPs' events are kept as they were sent, 2 to 240; 0 for ever.",
    ),
    Setting::with_default(
        "TINKO__KEEP_PARTNERS_MONTHS",
        "keep_partners_months",
        "36",
        "Whole months for which partner webhooks and what was answered are kept, 2 to 240; 0 for ever.",
    ),
    Setting::with_default(
        "TINKO__KEEP_AUDIT_MONTHS",
        "keep_audit_months",
        "0",
        "Whole months for which the audit log is kept, 2 to 240; 0 for ever.",
    ),
];

/// Every table, for loading and for `--print-settings`.
pub const TABLES: [&[Setting]; 5] = [
    COMMON,
    backbone::SETTINGS,
    connections::SETTINGS,
    backbone::CIRCUIT_SETTINGS,
    SETTINGS,
];

/// Whole months for which something is kept; 0 is for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u8")]
pub struct MonthsKept(Option<u8>);

/// A number of months that is too few or too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it must be 0, or a whole number from 2 to 240")]
pub struct NotSoManyMonths;

impl TryFrom<u8> for MonthsKept {
    type Error = NotSoManyMonths;

    fn try_from(months: u8) -> Result<Self, NotSoManyMonths> {
        match months {
            0 => Ok(Self(None)),
            2..=240 => Ok(Self(Some(months))),
            _ => Err(NotSoManyMonths),
        }
    }
}

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
    /// When a PSP that is not well is left alone.
    #[serde(flatten)]
    pub circuit: CircuitSettings,
    /// `TINKO__LINK_KEY`.
    pub link_key: SecretString,
    /// `TINKO__ATTEMPT_CONCURRENCY`.
    pub attempt_concurrency: usize,
    /// `TINKO__ORGANIZATION_SHARE_PERCENT`.
    pub organization_share_percent: Percent,
    /// `TINKO__PROVIDER_SHARE_PERCENT`.
    pub provider_share_percent: Percent,
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
    /// `TINKO__KEEP_HISTORY_MONTHS`.
    pub keep_history_months: MonthsKept,
    /// `TINKO__KEEP_PSP_EVENTS_MONTHS`.
    pub keep_psp_events_months: MonthsKept,
    /// `TINKO__KEEP_PARTNERS_MONTHS`.
    pub keep_partners_months: MonthsKept,
    /// `TINKO__KEEP_AUDIT_MONTHS`.
    pub keep_audit_months: MonthsKept,
}

impl Settings {
    /// How long a claim is believed.
    pub fn lease(&self) -> TimeDelta {
        TimeDelta::milliseconds(i64::from(self.lease_ms))
    }

    /// The places of a worker of these settings, all of them free.
    pub fn places(&self) -> Arc<Places> {
        let in_all = self.attempt_concurrency.max(1);
        Places::new(Limits {
            in_all,
            per_organization: self.organization_share_percent.of(in_all),
            per_provider: self.provider_share_percent.of(in_all),
            // So that the rest of the lease is enough for the charge.
            aside: self.lease().to_std().unwrap_or_default() / 4,
        })
    }

    /// The longest that one request to a PSP may take.
    pub const fn psp_timeout(&self) -> Duration {
        Duration::from_millis(self.psp_timeout_ms)
    }

    /// How long what is kept.
    pub const fn kept(&self) -> Kept {
        Kept {
            history: self.keep_history_months.0,
            psp_events: self.keep_psp_events_months.0,
            partners: self.keep_partners_months.0,
            audit: self.keep_audit_months.0,
        }
    }

    /// The longest pause between two looks for due attempts.
    pub const fn poll(&self) -> Duration {
        Duration::from_millis(self.poll_ms)
    }
}
