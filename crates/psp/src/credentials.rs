//! What Tinko shows a PSP to act for a merchant.
//!
//! These types serialize **with their secrets**, for one purpose: to be sealed
//! and stored. They are never part of an answer, an event or a log line;
//! `Debug` shows no secret.

use std::fmt;

use domain::Provider;
use secrecy::{ExposeSecret, SecretBox, SecretString};
use serde::{Deserialize, Serialize, Serializer};

fn exposed<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

/// A Stripe account's secret or restricted key (`sk_…`, `rk_…`).
///
/// A restricted key needs write access to `PaymentIntents`, Checkout Sessions
/// and, for subscriptions, Invoices.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StripeCredentials {
    /// The key.
    #[serde(serialize_with = "exposed")]
    pub secret_key: SecretString,
}

/// A Razorpay account's key pair.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RazorpayCredentials {
    /// `rzp_live_…` or `rzp_test_…`; not secret by itself.
    pub key_id: String,
    /// The secret that belongs to it.
    #[serde(serialize_with = "exposed")]
    pub key_secret: SecretString,
}

/// The credentials of one connection, as they are sealed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "provider", rename_all = "snake_case")]
pub enum Credentials {
    /// Of a Stripe account.
    Stripe(StripeCredentials),
    /// Of a Razorpay account.
    Razorpay(RazorpayCredentials),
}

impl Credentials {
    /// Whose they are.
    pub const fn provider(&self) -> Provider {
        match self {
            Self::Stripe(_) => Provider::Stripe,
            Self::Razorpay(_) => Provider::Razorpay,
        }
    }

    /// The JSON to seal.
    pub fn to_json(&self) -> Result<SecretBox<Vec<u8>>, serde_json::Error> {
        serde_json::to_vec(self).map(|json| SecretBox::new(Box::new(json)))
    }

    /// Reads JSON that was sealed.
    pub fn from_json(json: &SecretBox<Vec<u8>>) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json.expose_secret())
    }
}

impl fmt::Debug for StripeCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StripeCredentials").finish_non_exhaustive()
    }
}

impl fmt::Debug for RazorpayCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RazorpayCredentials")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both() -> [Credentials; 2] {
        [
            Credentials::Stripe(StripeCredentials {
                secret_key: "sk_test_hush".into(),
            }),
            Credentials::Razorpay(RazorpayCredentials {
                key_id: "rzp_test_open".into(),
                key_secret: "hush".into(),
            }),
        ]
    }

    #[test]
    fn no_secret_is_printed() {
        for credentials in both() {
            assert!(!format!("{credentials:?}").contains("hush"));
        }
    }

    #[test]
    fn what_was_sealed_reads_back() {
        for credentials in both() {
            let json = credentials.to_json().unwrap();
            let read = Credentials::from_json(&json).unwrap();
            assert_eq!(
                read.to_json().unwrap().expose_secret(),
                json.expose_secret()
            );
        }
    }
}
