//! The api's settings.

mod conduct;

use std::net::SocketAddr;
use std::num::{NonZeroU16, NonZeroUsize};
use std::time::Duration;

use backbone::{BackboneSettings, CircuitSettings, GuardSettings};
use connections::ConnectionSettings;
use runtime::settings::{COMMON, Common, Setting};
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

pub use self::conduct::{CONDUCT, ConductSettings};

/// What the api adds to the settings that every service has.
pub const SETTINGS: &[Setting] = &[
    Setting::with_default(
        "TINKO__LISTEN",
        "listen",
        "0.0.0.0:8080",
        "Address of the public HTTP server. Port 0 takes a free one.",
    ),
    Setting::required(
        "TINKO__PUBLIC_BASE_URL",
        "public_base_url",
        "Where payers and partners reach this service, such as `https://pay.example.com`.",
    ),
    Setting::required(
        "TINKO__LINK_KEY",
        "link_key",
        "Derives the tokens of recovery links, and users' codes: base64 of 32 bytes, the same for every service.",
    )
    .secret(),
    Setting::optional(
        "TINKO__ACCESS_TOKEN_KEYS",
        "access_token_keys",
        "Signs users' access tokens: key id and base64 of 32 bytes, as id:key; older keys follow after commas and still verify. Derived from TINKO__MASTER_KEY when absent.",
    )
    .secret(),
    Setting::with_default(
        "TINKO__ACCESS_TOKEN_SECONDS",
        "access_token_seconds",
        "600",
        "Seconds for which an access token holds before it has to be refreshed.",
    ),
    Setting::with_default(
        "TINKO__SESSION_DAYS",
        "session_days",
        "30",
        "Days after which a session ends in which nothing was refreshed.",
    ),
    Setting::with_default(
        "TINKO__OPEN_REGISTRATION",
        "open_registration",
        "true",
        "Whether anybody may register an organization.",
    ),
    Setting::with_default(
        "TINKO__PROXIES",
        "proxies",
        "0",
        "How many proxies of ours stand in front and append to X-Forwarded-For; by that the address is known that tries to log in are counted by.",
    ),
    Setting::optional(
        "TWILIO_AUTH_TOKEN",
        "twilio_auth_token",
        "Auth token of the Twilio account, by which its status callbacks and payers' replies are verified; without it they are refused.",
    )
    .secret(),
    Setting::optional(
        "WHATSAPP_APP_SECRET",
        "whatsapp_app_secret",
        "Secret of the Meta app, by which WhatsApp's statuses and payers' replies are verified; without it they are refused.",
    )
    .secret(),
    Setting::optional(
        "WHATSAPP_VERIFY_TOKEN",
        "whatsapp_verify_token",
        "What Meta says when it asks whether this address expects WhatsApp's webhooks; any text, the same in the app's settings.",
    )
    .secret(),
    Setting::optional(
        "TINKO__BOUNCE_SECRET",
        "bounce_secret",
        "What a mail gateway that hands in bounces says as `Authorization: Bearer`; without it they are refused.",
    )
    .secret(),
    Setting::optional(
        "TINKO__OPERATOR_TOKEN",
        "operator_token",
        "What an operator of this installation says as `Authorization: Bearer` to the routes under /v1/maintenance, at least 32 characters; without it they are not there.",
    )
    .secret(),
    Setting::with_default(
        "TINKO__CHECKOUT_TIMEOUT_MS",
        "checkout_timeout_ms",
        "8000",
        "Milliseconds that one request to a PSP may take while a payer waits, retries included.",
    ),
    Setting::optional(
        "TINKO__HTTP_WORKERS",
        "http_workers",
        "Threads that serve HTTP; one for each processor when absent.",
    ),
    Setting::with_default(
        "TINKO__BODY_LIMIT_BYTES",
        "body_limit_bytes",
        "1048576",
        "Largest request body, in bytes; a larger one is answered with 413.",
    ),
    Setting::with_default(
        "TINKO__REQUESTS_AT_ONCE",
        "requests_at_once",
        "512",
        "Most requests worked on at the same time by this process, those that wait for Postgres included, from 1 to 65535; more are answered with 503 at once.",
    ),
    Setting::with_default(
        "TINKO__REQUEST_TIMEOUT_MS",
        "request_timeout_ms",
        "30000",
        "Milliseconds after which a request that is still being worked on is answered with 503.",
    ),
    Setting::with_default(
        "TINKO__WEBHOOK_SECRET_CACHE_SECONDS",
        "webhook_secret_cache_seconds",
        "30",
        "Seconds for which an opened webhook secret is kept, and thus holds after it was replaced.",
    ),
    Setting::with_default(
        "TINKO__RECON_WAIT_MS",
        "recon_wait_ms",
        "10000",
        "Milliseconds that a request which begins a comparison with the PSPs waits for its end; at most half of TINKO__REQUEST_TIMEOUT_MS.",
    ),
];

/// Every table, for loading and for `--print-settings`.
pub const TABLES: [&[Setting]; 7] = [
    COMMON,
    backbone::SETTINGS,
    connections::SETTINGS,
    backbone::CIRCUIT_SETTINGS,
    backbone::PARTNER_SETTINGS,
    SETTINGS,
    CONDUCT,
];

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
    /// How callers are treated.
    #[serde(flatten)]
    pub conduct: ConductSettings,
    /// Where partner webhooks may go.
    #[serde(flatten)]
    pub guard: GuardSettings,
    /// `TINKO__LISTEN`.
    pub listen: SocketAddr,
    /// `TINKO__PUBLIC_BASE_URL`.
    pub public_base_url: Url,
    /// `TINKO__LINK_KEY`.
    pub link_key: SecretString,
    /// `TINKO__ACCESS_TOKEN_KEYS`.
    pub access_token_keys: Option<SecretString>,
    /// `TINKO__ACCESS_TOKEN_SECONDS`.
    pub access_token_seconds: u32,
    /// `TINKO__SESSION_DAYS`.
    pub session_days: u32,
    /// `TINKO__OPEN_REGISTRATION`.
    pub open_registration: bool,
    /// `TINKO__PROXIES`.
    pub proxies: usize,
    /// `TWILIO_AUTH_TOKEN`.
    pub twilio_auth_token: Option<SecretString>,
    /// `WHATSAPP_APP_SECRET`.
    pub whatsapp_app_secret: Option<SecretString>,
    /// `WHATSAPP_VERIFY_TOKEN`.
    pub whatsapp_verify_token: Option<SecretString>,
    /// `TINKO__BOUNCE_SECRET`.
    pub bounce_secret: Option<SecretString>,
    /// `TINKO__OPERATOR_TOKEN`.
    pub operator_token: Option<SecretString>,
    /// `TINKO__CHECKOUT_TIMEOUT_MS`.
    pub checkout_timeout_ms: u64,
    /// `TINKO__HTTP_WORKERS`.
    pub http_workers: Option<NonZeroUsize>,
    /// `TINKO__BODY_LIMIT_BYTES`.
    pub body_limit_bytes: usize,
    /// `TINKO__REQUEST_TIMEOUT_MS`.
    pub request_timeout_ms: u64,
    /// `TINKO__REQUESTS_AT_ONCE`.
    pub requests_at_once: NonZeroU16,
    /// `TINKO__WEBHOOK_SECRET_CACHE_SECONDS`.
    pub webhook_secret_cache_seconds: u32,
    /// `TINKO__RECON_WAIT_MS`.
    pub recon_wait_ms: u64,
}

impl Settings {
    /// What access tokens are signed with, after [`AccessTokens`] has derived its own.
    ///
    /// [`AccessTokens`]: crate::auth::access_token::AccessTokens
    pub fn token_keys(&self) -> &SecretString {
        let own = self.access_token_keys.as_ref();
        own.unwrap_or(&self.connections.master_key)
    }

    /// How long a request waits for the comparison that it began.
    pub fn recon_wait(&self) -> Duration {
        Duration::from_millis(self.recon_wait_ms).min(self.request_timeout() / 2)
    }

    /// The longest that a request is worked on.
    pub const fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }
}
