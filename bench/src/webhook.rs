//! Stripe webhooks that say that a payment failed, each about another payment.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

/// In the size and shape that Stripe sends: `@N@` stands for what makes the payment, its charge, its
/// event, its payer and its reference unique, `@T@` for the time.
const TEMPLATE: &str = include_str!("payment_failed.json");

/// Makes and signs them. Shared by all connections.
#[derive(Debug)]
pub struct Webhooks {
    parts: Vec<String>,
    secret: SecretString,
    begun: Instant,
    begun_at: DateTime<Utc>,
    made: AtomicU64,
}

/// One webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// The request's body.
    pub body: String,
    /// `Stripe-Signature`.
    pub signature: String,
}

impl Webhooks {
    /// Signed with `secret`. `now` is the time of the call: later webhooks are signed with what has
    /// passed since.
    pub fn new(secret: &SecretString, now: DateTime<Utc>) -> Self {
        let template = TEMPLATE.replace("@T@", &now.timestamp().to_string());
        Self {
            parts: template.split("@N@").map(str::to_owned).collect(),
            secret: secret.clone(),
            begun: Instant::now(),
            begun_at: now,
            made: AtomicU64::new(0),
        }
    }

    /// One about a payment that none before was about.
    pub fn next(&self) -> Webhook {
        let body = self.body(self.made.fetch_add(1, Ordering::Relaxed));
        let signature = self.sign(&body);
        Webhook { body, signature }
    }

    /// How many were made.
    pub fn made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }

    /// The body of the webhook number `n`, from 0.
    pub fn body(&self, n: u64) -> String {
        self.parts.join(&self.serial(n))
    }

    /// Where the payer of webhook number `n` gets email.
    pub fn payer_email(&self, n: u64) -> String {
        format!("payer-{}@example.com", self.serial(n))
    }

    /// What the addresses of all payers begin with; ten hex digits of the number follow.
    pub fn payers(&self) -> String {
        let first = self.serial(0);
        format!("payer-{}", &first[..first.len() - 10])
    }

    /// As long as what is random in Stripe's ids, and another one in each run.
    fn serial(&self, n: u64) -> String {
        format!(
            "{:012x}{n:010x}",
            self.begun_at.timestamp_micros() & 0xffff_ffff_ffff
        )
    }

    /// `t=…,v1=…`: an HMAC-SHA256 of `t.body` in hex (Stripe, "Verify webhook signatures manually").
    fn sign(&self, body: &str) -> String {
        let elapsed = i64::try_from(self.begun.elapsed().as_secs()).unwrap_or(0);
        let time = self.begun_at.timestamp().saturating_add(elapsed);
        let key = self.secret.expose_secret().as_bytes();
        // A key of any length is taken, so an error cannot come; if it did, the api would refuse it.
        let tag = Hmac::<Sha256>::new_from_slice(key).map(|mut mac| {
            mac.update(format!("{time}.").as_bytes());
            mac.update(body.as_bytes());
            hex::encode(mac.finalize().into_bytes())
        });
        format!("t={time},v1={}", tag.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use domain::Provider;
    use psp::webhook::{Fact, parse, verify_stripe};

    use super::*;

    fn webhooks() -> (Webhooks, SecretString, DateTime<Utc>) {
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let secret = SecretString::from("whsec_bench");
        (Webhooks::new(&secret, now), secret, now)
    }

    #[test]
    fn a_webhook_is_genuine_and_tells_of_a_payment_that_can_be_recovered() {
        let (webhooks, secret, now) = webhooks();
        let Webhook { body, signature } = webhooks.next();
        let tolerance = TimeDelta::seconds(300);
        verify_stripe(&signature, body.as_bytes(), &[secret], now, tolerance).unwrap();
        let incoming = parse(Provider::Stripe, None, body.as_bytes()).unwrap();
        let Fact::PaymentFailed(failed) = incoming.fact else {
            panic!("{:?}", incoming.fact);
        };
        assert_eq!(failed.amount.minor(), 4_900);
        assert_eq!(failed.payer.email, Some(webhooks.payer_email(0)));
        assert!(failed.saved_means.is_some());
        assert!(failed.transaction_ref.unwrap().len() <= 64);
    }

    #[test]
    fn no_two_webhooks_are_about_the_same_payment() {
        let (webhooks, _, _) = webhooks();
        let read = |webhook: Webhook| {
            let incoming = parse(Provider::Stripe, None, webhook.body.as_bytes()).unwrap();
            let Fact::PaymentFailed(failed) = incoming.fact else {
                panic!("{:?}", incoming.fact);
            };
            (
                incoming.event_id,
                failed.payment,
                failed.charge,
                failed.transaction_ref,
            )
        };
        let (first, second) = (read(webhooks.next()), read(webhooks.next()));
        assert_ne!(first.0, second.0);
        assert_ne!(first.1, second.1);
        assert_ne!(first.2, second.2);
        assert_ne!(first.3, second.3);
        assert_eq!(webhooks.made(), 2);
    }
}
