//! What opens connections, and where the PSPs are.

use std::num::{NonZeroU16, NonZeroU32};
use std::time::Duration;

use circuit::Limits;
use psp::{Endpoints, Http, HttpError, HttpSettings, RateLimits};
use rand::SeedableRng;
use rand::rngs::StdRng;
use runtime::settings::Setting;
use seal::Keyring;
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use crate::Opener;

/// The settings of every service that talks to PSPs.
pub const SETTINGS: &[Setting] = &[
    Setting::required(
        "TINKO__MASTER_KEY",
        "master_key",
        "Opens PSP credentials: key id and base64 of 32 bytes, as id:key; older keys follow after commas.",
    )
    .secret(),
    Setting::with_default(
        "TINKO__STRIPE_BASE_URL",
        "stripe_base_url",
        "https://api.stripe.com",
        "Stripe's API.",
    ),
    Setting::with_default(
        "TINKO__RAZORPAY_BASE_URL",
        "razorpay_base_url",
        "https://api.razorpay.com",
        "Razorpay's API.",
    ),
    Setting::with_default(
        "TINKO__PSP_REQUESTS_PER_SECOND",
        "psp_requests_per_second",
        "0",
        "Most requests a second that this process makes over one PSP account; 0 for half of what the PSP documents (Stripe: 50 live, 12 in test mode; Razorpay: 10).",
    ),
    Setting::with_default(
        "TINKO__PSP_REQUESTS_AT_ONCE",
        "psp_requests_at_once",
        "20",
        "Most requests that this process has under way at the same time over one PSP account. With a PSP that takes 200 ms for each of a charge's two calls, 20 make 50 charges a second.",
    ),
];

/// See [`SETTINGS`].
#[derive(Debug, Clone, Deserialize)]
pub struct ConnectionSettings {
    /// `TINKO__MASTER_KEY`.
    pub master_key: SecretString,
    /// `TINKO__STRIPE_BASE_URL`.
    pub stripe_base_url: Url,
    /// `TINKO__RAZORPAY_BASE_URL`.
    pub razorpay_base_url: Url,
    /// `TINKO__PSP_REQUESTS_PER_SECOND`.
    pub psp_requests_per_second: u32,
    /// `TINKO__PSP_REQUESTS_AT_ONCE`.
    pub psp_requests_at_once: NonZeroU16,
}

/// Why the settings are of no use.
#[derive(Debug, thiserror::Error)]
pub enum SettingsTrouble {
    /// The master key does not read.
    #[error("TINKO__MASTER_KEY is not usable")]
    MasterKey(#[from] seal::KeyringError),
    /// No HTTP client could be made.
    #[error("the HTTP client for the PSPs could not be made")]
    Http(#[from] HttpError),
}

impl ConnectionSettings {
    /// The keys that seal and open.
    pub fn keyring(&self) -> Result<Keyring, SettingsTrouble> {
        Ok(Keyring::parse(&self.master_key)?)
    }

    /// Where the PSPs are.
    pub fn endpoints(&self) -> Endpoints {
        Endpoints {
            stripe: self.stripe_base_url.clone(),
            razorpay: self.razorpay_base_url.clone(),
        }
    }

    fn rate_limits(&self) -> RateLimits {
        let documented = RateLimits {
            at_once: self.psp_requests_at_once.get().into(),
            ..RateLimits::default()
        };
        match NonZeroU32::new(self.psp_requests_per_second) {
            Some(per_second) => documented.everywhere(per_second),
            None => documented,
        }
    }

    /// Opens connections; one request to a PSP may take `timeout`, retries included.
    /// A PSP or an account that is not well is left alone by `breakers`.
    pub fn opener(&self, timeout: Duration, breakers: Limits) -> Result<Opener, SettingsTrouble> {
        let settings = HttpSettings {
            total_timeout: timeout,
            rate_limits: self.rate_limits(),
            breakers,
            ..HttpSettings::default()
        };
        let http = Http::new(settings, StdRng::from_rng(&mut rand::rng()))?;
        Ok(Opener::new(self.keyring()?, http, self.endpoints()))
    }
}
