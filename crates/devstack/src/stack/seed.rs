//! The demo organization: what it is made of, and what opens its doors.

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::StackError;
use super::folder::Folder;
use super::sandbox::{Sandbox, SandboxError};
use crate::process::ProcessSpec;

/// What `api seed` answered last, kept because an API key is shown only once.
const FILE: &str = "seed.json";

const NAME: &str = "Demo Store";
const SLUG: &str = "demo";
const STRIPE_ACCOUNT: &str = "acct_demo";
const STRIPE_KEY: &str = "sk_test_demo";
const STRIPE_WEBHOOK_SECRET: &str = "whsec_ZGVtby1zdHJpcGUtd2ViaG9vay1zZWNyZXQ";
const RAZORPAY_ACCOUNT: &str = "acc_demo";
const RAZORPAY_KEY_ID: &str = "rzp_test_demo";
const RAZORPAY_KEY_SECRET: &str = "demo-razorpay-key-secret";
const RAZORPAY_WEBHOOK_SECRET: &str = "demo-razorpay-webhook-secret";

pub(super) const TWILIO_ACCOUNT: &str = "AC00000000000000000000000000000000";
pub(super) const TWILIO_AUTH_TOKEN: &str = "local";
pub(super) const WHATSAPP_NUMBER: &str = "100000000000000";
pub(super) const WHATSAPP_APP_SECRET: &str = "local-app-secret";
pub(super) const BOUNCE_SECRET: &str = "local-bounce-secret";

/// The demo organization and its keys. They open nothing but this folder's installation and the
/// sandbox.
#[derive(Debug, Clone)]
pub struct DemoKeys {
    /// Its id.
    pub organization_id: String,
    /// Its name.
    pub organization_name: String,
    /// For `Authorization: Bearer`.
    pub api_key: SecretString,
    /// `http://127.0.0.1:PORT` of the api, where webhooks go.
    pub api_url: String,
    /// Its Stripe account, which the sandbox plays.
    pub stripe: StripeKeys,
    /// Its Razorpay account, which the sandbox plays.
    pub razorpay: RazorpayKeys,
}

/// A Stripe account.
#[derive(Debug, Clone)]
pub struct StripeKeys {
    /// Tinko's connection.
    pub connection_id: String,
    /// `acct_…`.
    pub account_id: String,
    /// `sk_test_…`.
    pub secret_key: SecretString,
    /// Signs webhooks.
    pub webhook_secret: SecretString,
    /// Where the account's webhooks go.
    pub webhook_url: String,
}

/// A Razorpay account.
#[derive(Debug, Clone)]
pub struct RazorpayKeys {
    /// Tinko's connection.
    pub connection_id: String,
    /// `acc_…`.
    pub account_id: String,
    /// `rzp_test_…`.
    pub key_id: String,
    /// Belongs to the id.
    pub key_secret: SecretString,
    /// Signs webhooks.
    pub webhook_secret: SecretString,
    /// Where the account's webhooks go.
    pub webhook_url: String,
}

/// A policy whose delays are a second or so, in which every channel is used and phones are never
/// silent: so that a person sees a whole recovery while looking.
pub fn demo_policy() -> Value {
    json!({
        "name": "Demo",
        "max_retries": 4,
        "initial_delay_seconds": 1,
        "backoff_multiplier": 1,
        "max_delay_seconds": 2,
        "jitter_percent": 0,
        "silent_charges": 2,
        "enabled_channels": ["email", "sms", "whatsapp"],
        "stop_after_seconds": 3600,
        "link_ttl_seconds": 3600,
        "quiet_hours": { "enabled": false },
    })
}

/// What `api seed` writes.
#[derive(Debug, Deserialize)]
struct Answer {
    organization_id: String,
    connections: Connections,
}

#[derive(Debug, Deserialize)]
struct Connections {
    stripe: Connection,
    razorpay: Connection,
}

#[derive(Debug, Deserialize)]
struct Connection {
    id: String,
}

/// Runs `api seed`, which makes the organization or finds it by its slug.
pub(super) async fn seed(
    command: &ProcessSpec,
    folder: &Folder,
    policy: &Value,
    api_url: &str,
) -> Result<DemoKeys, StackError> {
    let wanted = wanted(policy).to_string();
    let written = command.output(wanted.as_bytes()).await?;
    let answer: Value = serde_json::from_slice(&written).map_err(|error| StackError::Seed {
        answer: format!("{} bytes that are no JSON", written.len()),
        fault: error.to_string(),
    })?;
    let before: Option<Value> = folder.read_json(FILE);
    let keys = read(&answer, before.as_ref(), api_url)?;
    let kept = json!({
        "organization_id": keys.organization_id,
        "api_key": keys.api_key.expose_secret(),
    });
    folder.write_json(FILE, &kept)?;
    Ok(keys)
}

fn wanted(policy: &Value) -> Value {
    json!({
        "organization": { "name": NAME, "slug": SLUG },
        "policy": policy,
        "api_key_scopes": ["read", "write", "admin"],
        "connections": [
            {
                "provider": "stripe",
                "account_id": STRIPE_ACCOUNT,
                "credentials": { "provider": "stripe", "secret_key": STRIPE_KEY },
                "webhook_secrets": [STRIPE_WEBHOOK_SECRET],
            },
            {
                "provider": "razorpay",
                "account_id": RAZORPAY_ACCOUNT,
                "credentials": {
                    "provider": "razorpay",
                    "key_id": RAZORPAY_KEY_ID,
                    "key_secret": RAZORPAY_KEY_SECRET,
                },
                "webhook_secrets": [RAZORPAY_WEBHOOK_SECRET],
            },
        ],
    })
}

/// `api seed` makes a new API key each time. The one kept for the same organization goes on working
/// and is preferred, so that the key stays the same from start to start.
fn read(answer: &Value, before: Option<&Value>, api_url: &str) -> Result<DemoKeys, StackError> {
    let faulty = |fault: String| {
        let fields = answer
            .as_object()
            .map(|fields| fields.keys().cloned().collect::<Vec<_>>());
        StackError::Seed {
            answer: format!("{:?}", fields.unwrap_or_default()),
            fault,
        }
    };
    let read = Answer::deserialize(answer).map_err(|error| faulty(error.to_string()))?;
    let same = before.filter(|kept| kept["organization_id"] == read.organization_id.as_str());
    let kept = same.and_then(|kept| kept["api_key"].as_str());
    let api_key = kept.or_else(|| answer["api_key"].as_str());
    let api_key = api_key.ok_or_else(|| faulty("missing field `api_key`".to_owned()))?;
    let webhook_url = |provider: &str, connection: &Connection| {
        format!("{api_url}/v1/webhooks/{provider}/{}", connection.id)
    };
    let (stripe, razorpay) = (read.connections.stripe, read.connections.razorpay);
    Ok(DemoKeys {
        organization_id: read.organization_id,
        organization_name: NAME.to_owned(),
        api_key: api_key.into(),
        api_url: api_url.to_owned(),
        stripe: StripeKeys {
            account_id: STRIPE_ACCOUNT.to_owned(),
            secret_key: STRIPE_KEY.into(),
            webhook_secret: STRIPE_WEBHOOK_SECRET.into(),
            webhook_url: webhook_url("stripe", &stripe),
            connection_id: stripe.id,
        },
        razorpay: RazorpayKeys {
            account_id: RAZORPAY_ACCOUNT.to_owned(),
            key_id: RAZORPAY_KEY_ID.to_owned(),
            key_secret: RAZORPAY_KEY_SECRET.into(),
            webhook_secret: RAZORPAY_WEBHOOK_SECRET.into(),
            webhook_url: webhook_url("razorpay", &razorpay),
            connection_id: razorpay.id,
        },
    })
}

impl DemoKeys {
    /// Opens the accounts at the sandbox and registers their webhooks; again is harmless.
    pub async fn register(&self, sandbox: &Sandbox) -> Result<(), SandboxError> {
        let (stripe, razorpay) = (&self.stripe, &self.razorpay);
        let (key, key_id) = (stripe.secret_key.expose_secret(), &razorpay.key_id);
        let account = json!({ "key": key, "account_id": stripe.account_id });
        sandbox.control("stripe/accounts", &account).await?;
        let secrets = [stripe.webhook_secret.expose_secret()];
        let endpoint = json!({ "key": key, "url": stripe.webhook_url, "secrets": secrets });
        sandbox.control("stripe/webhooks", &endpoint).await?;
        let account = json!({
            "key_id": key_id,
            "key_secret": razorpay.key_secret.expose_secret(),
            "account_id": razorpay.account_id,
        });
        sandbox.control("razorpay/accounts", &account).await?;
        let secret = razorpay.webhook_secret.expose_secret();
        let endpoint = json!({ "key_id": key_id, "url": razorpay.webhook_url, "secret": secret });
        sandbox.control("razorpay/webhooks", &endpoint).await?;
        self.register_receipts(sandbox).await
    }

    /// Where payers' replies, WhatsApp's statuses and bounces go.
    async fn register_receipts(&self, sandbox: &Sandbox) -> Result<(), SandboxError> {
        let url = |path: &str| format!("{}/v1/webhooks/{path}", self.api_url);
        let twilio = json!({
            "account_sid": TWILIO_ACCOUNT,
            "auth_token": TWILIO_AUTH_TOKEN,
            "url": url("twilio/inbound"),
        });
        sandbox.control("twilio/webhooks", &twilio).await?;
        let whatsapp = json!({
            "phone_number_id": WHATSAPP_NUMBER,
            "app_secret": WHATSAPP_APP_SECRET,
            "url": url("whatsapp"),
        });
        sandbox.control("whatsapp/webhooks", &whatsapp).await?;
        let mail = json!({ "url": url("email/bounces"), "secret": BOUNCE_SECRET });
        sandbox.control("mail/webhooks", &mail).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(api_key: &str) -> Value {
        json!({
            "organization_id": "org_1",
            "api_key": api_key,
            "connections": { "stripe": { "id": "con_1" }, "razorpay": { "id": "con_2" } },
        })
    }

    #[test]
    fn the_key_stays_the_same_from_start_to_start() {
        let first = read(&answer("sk_first"), None, "http://api").unwrap();
        assert_eq!(first.api_key.expose_secret(), "sk_first");
        let kept = json!({ "organization_id": "org_1", "api_key": "sk_first" });
        let second = read(&answer("sk_second"), Some(&kept), "http://api").unwrap();
        assert_eq!(second.api_key.expose_secret(), "sk_first");
        assert_eq!(
            second.stripe.webhook_url,
            "http://api/v1/webhooks/stripe/con_1"
        );
    }

    #[test]
    fn a_key_of_another_organization_is_not_taken() {
        let kept = json!({ "organization_id": "org_0", "api_key": "sk_other" });
        let keys = read(&answer("sk_new"), Some(&kept), "http://api").unwrap();
        assert_eq!(keys.api_key.expose_secret(), "sk_new");
    }

    #[test]
    fn a_faulty_answer_is_told_without_its_secrets() {
        let faulty = json!({ "api_key": "sk_secret" });
        let error = read(&faulty, None, "http://api").unwrap_err().to_string();
        assert!(
            error.contains("organization_id") && !error.contains("sk_secret"),
            "{error}"
        );
    }
}
