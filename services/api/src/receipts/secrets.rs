//! What proves that a receipt is genuine. One installation has one account at
//! each provider, so these are settings.

use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use crate::settings::Settings;

/// Each is there if the installation uses that way.
#[derive(Clone)]
pub(crate) struct Secrets {
    /// `TWILIO_AUTH_TOKEN`.
    pub(crate) twilio: Option<SecretString>,
    /// `WHATSAPP_APP_SECRET`.
    pub(crate) whatsapp_app: Option<SecretString>,
    /// `WHATSAPP_VERIFY_TOKEN`.
    pub(crate) whatsapp_verify: Option<SecretString>,
    /// `TINKO__BOUNCE_SECRET`.
    pub(crate) bounce: Option<SecretString>,
}

impl Secrets {
    pub(crate) fn of(settings: &Settings) -> Self {
        Self {
            twilio: settings.twilio_auth_token.clone(),
            whatsapp_app: settings.whatsapp_app_secret.clone(),
            whatsapp_verify: settings.whatsapp_verify_token.clone(),
            bounce: settings.bounce_secret.clone(),
        }
    }
}

/// Whether what was given is the secret; in constant time, its length apart.
pub(crate) fn is_the_secret(given: &str, secret: &SecretString) -> bool {
    let secret = secret.expose_secret().as_bytes();
    !secret.is_empty() && bool::from(given.as_bytes().ct_eq(secret))
}
