//! The settings that every service has.

use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};

use secrecy::SecretString;
use sentry::types::Dsn;
use serde::{
    Deserialize, Deserializer,
    de::{Error, Unexpected},
};
use tracing_subscriber::EnvFilter;
use url::Url;

use super::Setting;

/// The settings that every service has; a service's own struct takes them in with
/// `#[serde(flatten)]`, and [`COMMON`] is their table.
#[derive(Clone, Debug, Deserialize)]
pub struct Common {
    /// Where this process runs.
    pub environment: Environment,
    /// Which log lines are written: `tracing_subscriber` directives (`info,api=debug`).
    #[serde(deserialize_with = "directives")]
    pub log_level: String,
    /// How log lines are written.
    pub log_format: LogFormat,
    /// Where the admin server listens; port 0 takes a free one.
    pub admin_listen: SocketAddr,
    /// Where errors are reported; nowhere when absent.
    #[serde(default, deserialize_with = "dsn")]
    pub sentry_dsn: Option<SecretString>,
    /// Share of work that Sentry is sent as performance traces.
    pub sentry_traces_sample_rate: Ratio,
    /// Where traces are sent (OTLP over gRPC); nowhere when absent.
    #[serde(default, deserialize_with = "collector")]
    pub otlp_endpoint: Option<Url>,
    /// Share of new traces that are recorded; a trace that comes from outside keeps its decision.
    pub trace_sample_ratio: Ratio,
    /// Seconds from the request to end until work under way is cut off.
    pub shutdown_grace_seconds: u64,
    /// Where the bound addresses are written once the process is up.
    pub ready_file: Option<PathBuf>,
}

impl Common {
    /// Time from the request to end until work under way is cut off.
    pub fn shutdown_grace(&self) -> Duration {
        Duration::from_secs(self.shutdown_grace_seconds)
    }
}

/// The table of [`Common`].
pub const COMMON: &[Setting] = &[
    Setting::with_default(
        "ENVIRONMENT",
        "environment",
        "development",
        "Where this runs: `development`, `staging` or `production`. Marks traces and error reports.",
    ),
    Setting::with_default(
        "LOG_LEVEL",
        "log_level",
        "info",
        "Which log lines are written: a level, or directives such as `info,api=debug`.",
    ),
    Setting::with_default(
        "TINKO__LOG_FORMAT",
        "log_format",
        "json",
        "How log lines are written: `json`, or `text` for people.",
    ),
    Setting::with_default(
        "TINKO__ADMIN_LISTEN",
        "admin_listen",
        "0.0.0.0:9090",
        "Address of the admin server (`/healthz`, `/readyz`, `/startupz`, `/metrics`). Port 0 takes a free one.",
    ),
    Setting::optional(
        "SENTRY_DSN",
        "sentry_dsn",
        "Sentry project that errors are reported to; none when absent.",
    )
    .secret(),
    Setting::with_default(
        "SENTRY_TRACES_SAMPLE_RATE",
        "sentry_traces_sample_rate",
        "0.0",
        "Share of work that is sent to Sentry as performance traces, 0 to 1.",
    ),
    Setting::optional(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "otlp_endpoint",
        "OpenTelemetry collector that traces are sent to over gRPC, such as `http://collector:4317`; none when absent.",
    ),
    Setting::with_default(
        "TINKO__TRACE_SAMPLE_RATIO",
        "trace_sample_ratio",
        "1.0",
        "Share of new traces that are recorded, 0 to 1.",
    ),
    Setting::with_default(
        "TINKO__SHUTDOWN_GRACE_SECONDS",
        "shutdown_grace_seconds",
        "25",
        "Seconds from SIGTERM until work under way is cut off. Keep it below the orchestrator's own limit (Kubernetes: 30).",
    ),
    Setting::optional(
        "TINKO__READY_FILE",
        "ready_file",
        "File that gets a JSON line with the bound addresses once the process is up.",
    ),
];

/// Where a process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// A developer's machine or a test.
    Development,
    /// As production, with no real money.
    Staging,
    /// Real money.
    Production,
}

impl Environment {
    /// As it is written in settings, traces and error reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// A share, from 0 (none) to 1 (all).
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(try_from = "f64")]
pub struct Ratio(f64);

impl Ratio {
    /// The share as a number from 0 to 1.
    pub fn get(self) -> f64 {
        self.0
    }

    /// Whether it is nothing at all.
    pub fn is_zero(self) -> bool {
        self.0 <= 0.0
    }
}

impl TryFrom<f64> for Ratio {
    type Error = NotARatio;

    fn try_from(number: f64) -> Result<Self, NotARatio> {
        if (0.0..=1.0).contains(&number) {
            Ok(Self(number))
        } else {
            Err(NotARatio)
        }
    }
}

/// A number that is no share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it must be a number from 0 to 1")]
pub struct NotARatio;

fn directives<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    match EnvFilter::try_new(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(D::Error::custom(error)),
    }
}

fn dsn<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    match text {
        Some(text) if text.parse::<Dsn>().is_err() => Err(D::Error::invalid_value(
            Unexpected::Other("text"),
            &"a Sentry DSN, `https://key@host/project`",
        )),
        text => Ok(text.map(SecretString::from)),
    }
}

fn collector<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
    let url = Option::<Url>::deserialize(deserializer)?;
    match url {
        Some(url) if !matches!(url.scheme(), "http" | "https") || !url.has_host() => {
            Err(D::Error::invalid_value(
                Unexpected::Other("url"),
                &"a URL of an OTLP collector, `http://host:4317`",
            ))
        }
        url => Ok(url),
    }
}
