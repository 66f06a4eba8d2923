//! Credentials and webhook secrets as they come in.

use domain::Provider;
use domain::state::KeyMode;
use psp::{Credentials, RazorpayCredentials, StripeCredentials};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::routes::faults::Faults;

/// Longest key or secret, in characters; the PSPs' own are far shorter.
const LONGEST_SECRET: usize = 255;
/// The shortest webhook secret taken, in characters: shorter ones can be guessed.
const SHORTEST_WEBHOOK_SECRET: usize = 8;
/// Longest name, in characters.
const LONGEST_NAME: usize = 128;
/// How much of a key its merchant sees again, in characters.
const HINT: usize = 4;

/// The credentials of an account: `secret_key` of Stripe, or `key_id` and
/// `key_secret` of Razorpay.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PspCredentials)]
pub(super) struct Given {
    /// Stripe: a secret or restricted key. A restricted one must be able to write
    /// `PaymentIntents`, Checkout Sessions and, for subscriptions, Invoices.
    #[schema(value_type = Option<String>, pattern = "^(sk|rk)_(live|test)_[A-Za-z0-9_]{4,}$",
             max_length = 255, example = "sk_test_example")]
    secret_key: Option<SecretString>,
    /// Razorpay: the key's id.
    #[schema(pattern = "^rzp_(live|test)_[A-Za-z0-9_]{4,}$", max_length = 255)]
    key_id: Option<String>,
    /// Razorpay: the key's secret.
    #[schema(value_type = Option<String>, pattern = "^[!-~]{4,255}$")]
    key_secret: Option<SecretString>,
}

/// Credentials that look like what they should be.
pub(super) struct Read {
    /// What is sealed.
    pub(super) credentials: Credentials,
    /// Whether the key moves money.
    pub(super) mode: KeyMode,
    /// Its last characters.
    pub(super) hint: String,
}

impl Given {
    /// The credentials, if they are of that PSP; else what is wrong with them.
    pub(super) fn read(&self, provider: Provider, faults: &mut Faults) -> Option<Read> {
        match provider {
            Provider::Stripe => self.read_stripe(faults),
            Provider::Razorpay => self.read_razorpay(faults),
        }
    }

    fn read_stripe(&self, faults: &mut Faults) -> Option<Read> {
        for (field, given) in [
            ("credentials.key_id", self.key_id.is_some()),
            ("credentials.key_secret", self.key_secret.is_some()),
        ] {
            if given {
                faults.note(field, "is not of a Stripe account's credentials");
            }
        }
        let field = "credentials.secret_key";
        let Some(secret_key) = self.secret_key.clone() else {
            faults.note(field, "is missing");
            return None;
        };
        let key = secret_key.expose_secret();
        let Some(mode) = mode_of(key, &["sk", "rk"]) else {
            let fault = "must be a key such as sk_live_… or rk_test_…";
            faults.note(field, fault);
            return None;
        };
        let hint = hint(key);
        Some(Read {
            credentials: Credentials::Stripe(StripeCredentials { secret_key }),
            mode,
            hint,
        })
    }

    fn read_razorpay(&self, faults: &mut Faults) -> Option<Read> {
        if self.secret_key.is_some() {
            let fault = "is not of a Razorpay account's credentials";
            faults.note("credentials.secret_key", fault);
        }
        let key_id = self.key_id.clone().unwrap_or_default();
        let mode = mode_of(&key_id, &["rzp"]);
        if mode.is_none() {
            let fault = "must be a key's id such as rzp_live_…";
            faults.note("credentials.key_id", fault);
        }
        let decent = |secret: &SecretString| is_secret(secret.expose_secret(), HINT);
        let key_secret = self.key_secret.clone().filter(decent);
        if key_secret.is_none() {
            let fault = format!("must have {HINT} to {LONGEST_SECRET} characters without spaces");
            faults.note("credentials.key_secret", fault);
        }
        let (mode, key_secret) = mode.zip(key_secret)?;
        let hint = hint(&key_id);
        Some(Read {
            credentials: Credentials::Razorpay(RazorpayCredentials { key_id, key_secret }),
            mode,
            hint,
        })
    }
}

/// Whether a key moves money, by how it begins; none if it is no key of these kinds.
fn mode_of(key: &str, kinds: &[&str]) -> Option<KeyMode> {
    let mut parts = key.splitn(3, '_');
    let kind = parts.next()?;
    let mode = match parts.next()? {
        "live" => KeyMode::Live,
        "test" => KeyMode::Test,
        _ => return None,
    };
    let rest = parts.next()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let decent = rest.len() >= HINT && key.len() <= LONGEST_SECRET && rest.bytes().all(plain);
    (kinds.contains(&kind) && decent).then_some(mode)
}

fn hint(key: &str) -> String {
    let start = key.len().saturating_sub(HINT);
    key.get(start..).unwrap_or_default().to_owned()
}

fn is_secret(text: &str, shortest: usize) -> bool {
    (shortest..=LONGEST_SECRET).contains(&text.len())
        && text.bytes().all(|it| it.is_ascii_graphic())
}

/// A webhook secret that looks like one.
pub(super) fn webhook_secret(
    given: Option<&SecretString>,
    faults: &mut Faults,
) -> Option<SecretString> {
    let given = given?;
    if is_secret(given.expose_secret(), SHORTEST_WEBHOOK_SECRET) {
        return Some(given.clone());
    }
    let fault = format!(
        "must have {SHORTEST_WEBHOOK_SECRET} to {LONGEST_SECRET} characters without spaces"
    );
    faults.note("webhook_secret", fault);
    None
}

/// What the merchant calls the connection.
pub(super) fn name(given: Option<&str>, faults: &mut Faults) -> Option<String> {
    let name = given?.trim();
    if (1..=LONGEST_NAME).contains(&name.chars().count()) && !name.chars().any(char::is_control) {
        return Some(name.to_owned());
    }
    faults.note("name", format!("must have 1 to {LONGEST_NAME} characters"));
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keys_mode_is_in_how_it_begins() {
        let stripe = ["sk", "rk"];
        assert_eq!(mode_of("sk_live_abcd", &stripe), Some(KeyMode::Live));
        assert_eq!(mode_of("rk_test_ab_cd", &stripe), Some(KeyMode::Test));
        for other in [
            "pk_live_abcd",
            "sk_live_abc",
            "sk_abcd",
            "sk_live_ab cd",
            "whsec_abcd",
            "",
        ] {
            assert_eq!(mode_of(other, &stripe), None, "{other}");
        }
        assert_eq!(mode_of("rzp_live_abcd", &["rzp"]), Some(KeyMode::Live));
    }
}
