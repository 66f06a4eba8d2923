//! Signatures as each company makes them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::Sha256;

use super::Payload;

/// Signs the deliveries to one address.
#[derive(Debug, Clone)]
pub(crate) enum Signer {
    /// `Stripe-Signature: t=…,v1=…`, one `v1` per secret while secrets are being rotated.
    Stripe {
        secrets: Vec<String>,
        /// Set for endpoints that listen to connected accounts: their events name the account.
        connect_account: Option<String>,
    },
    /// `X-Razorpay-Signature`, hexadecimal. A retried event keeps the secret it was made with.
    Razorpay { secret: String },
    /// `X-Twilio-Signature`, HMAC-SHA1 over the address and the sorted form fields.
    Twilio { auth_token: String },
    /// `X-Hub-Signature-256: sha256=…`.
    Meta { app_secret: String },
    /// `Authorization: Bearer …`, which signs nothing.
    Bearer { secret: String },
}

impl Signer {
    /// The signature header for a body sent to `url` at `now`.
    pub(crate) fn header(
        &self,
        url: &str,
        payload: &Payload,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Option<(&'static str, String)> {
        match self {
            Self::Stripe { secrets, .. } => {
                Some(("Stripe-Signature", stripe(secrets, body, now.timestamp())?))
            }
            Self::Razorpay { secret } => {
                Some(("X-Razorpay-Signature", sha256_hex(secret, &[body])?))
            }
            Self::Twilio { auth_token } => {
                Some(("X-Twilio-Signature", twilio(auth_token, url, payload)?))
            }
            Self::Meta { app_secret } => Some((
                "X-Hub-Signature-256",
                format!("sha256={}", sha256_hex(app_secret, &[body])?),
            )),
            Self::Bearer { secret } => Some(("Authorization", format!("Bearer {secret}"))),
        }
    }
}

/// `Stripe-Signature` of a body: `t=…,v1=…`, one `v1` for each secret.
pub fn stripe(secrets: &[String], body: &[u8], timestamp: i64) -> Option<String> {
    let mut header = format!("t={timestamp}");
    for secret in secrets {
        let signature = sha256_hex(secret, &[timestamp.to_string().as_bytes(), b".", body])?;
        header.push_str(",v1=");
        header.push_str(&signature);
    }
    Some(header)
}

fn twilio(auth_token: &str, url: &str, payload: &Payload) -> Option<String> {
    let mut fields = match payload {
        Payload::Form(fields) => fields.clone(),
        Payload::Json(_) | Payload::Text { .. } => Vec::new(),
    };
    fields.sort();
    let mut mac = Hmac::<Sha1>::new_from_slice(auth_token.as_bytes()).ok()?;
    mac.update(url.as_bytes());
    for (name, value) in fields {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    Some(STANDARD.encode(mac.finalize().into_bytes()))
}

/// HMAC-SHA256 over the parts one after the other, in lower-case hexadecimal.
pub(crate) fn sha256_hex(secret: &str, parts: &[&[u8]]) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_agrees_with_rfc_4231_case_2() {
        let signature = sha256_hex("Jefe", &[b"what do ya want ", b"for nothing?"]).unwrap();
        assert_eq!(
            signature,
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    /// The worked example of Twilio's page "Webhooks security".
    #[test]
    fn twilio_signature_agrees_with_its_documentation() {
        let fields = [
            ("Digits", "1234"),
            ("To", "+18005551212"),
            ("From", "+14158675309"),
            ("Caller", "+14158675309"),
            ("CallSid", "CA1234567890ABCDE"),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let payload = Payload::Form(fields.to_vec());
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
        assert_eq!(
            twilio("12345", url, &payload).unwrap(),
            "RSOYDt4T1cUTdK1PDd93/VVr8B8="
        );
    }
}
