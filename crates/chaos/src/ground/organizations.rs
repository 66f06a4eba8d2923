//! The organizations whose payments fail: each with a policy, accounts at both PSPs, and an
//! endpoint for partner webhooks.

use anyhow::Context as _;
use devstack::Stack;
use serde_json::{Value, json};

use crate::partner::Partner;

/// An organization, and what opens its doors. The keys are the run's own and end with it.
#[derive(Debug, Clone)]
pub struct Organization {
    /// For messages.
    pub slug: String,
    /// For `Authorization: Bearer`.
    pub api_key: String,
    /// Of its account at the sandbox's Stripe.
    pub stripe_key: String,
    /// Of its account at the sandbox's Razorpay.
    pub razorpay_key_id: String,
}

/// Seconds between the patient policy's steps: what was planned before a payment, and is done all
/// the same, is then told from what was under way.
const PATIENT: u32 = 9;

/// How long links live in a brisk run: a payer who reads their mail at once comes through.
const BRISK_LINK: u32 = 10;

/// The policies of a run. In a brisk one every recovery ends within half a minute.
fn policies(is_brisk: bool) -> [Value; 3] {
    let link = |seconds: u32| if is_brisk { BRISK_LINK } else { seconds };
    [
        policy("hasty", 4, 2, 1, link(20)),
        policy("messages first", 4, 0, 2, link(25)),
        policy(
            "patient",
            if is_brisk { 2 } else { 4 },
            2,
            PATIENT,
            link(30),
        ),
    ]
}

/// Delays of seconds, no silent hours, and a payer who has seconds.
fn policy(name: &str, steps: u32, silent_charges: u32, delay: u32, link_ttl: u32) -> Value {
    json!({
        "name": name,
        "max_retries": steps,
        "initial_delay_seconds": delay,
        "backoff_multiplier": 1,
        "max_delay_seconds": delay,
        "jitter_percent": 0,
        "silent_charges": silent_charges,
        "enabled_channels": ["email", "sms", "whatsapp"],
        "most_messages": 2,
        "least_message_gap_seconds": delay,
        "stop_after_seconds": 3600,
        "link_ttl_seconds": link_ttl,
        "quiet_hours": { "enabled": false },
    })
}

/// Makes all of them.
pub(super) async fn make(
    stack: &Stack,
    partner: &Partner,
    is_brisk: bool,
) -> anyhow::Result<Vec<Organization>> {
    let mut made = Vec::new();
    for (number, policy) in policies(is_brisk).into_iter().enumerate() {
        let organization = one(stack, number, &policy).await;
        let organization = organization.with_context(|| format!("organization {number}"))?;
        let url = partner.url(&organization.slug);
        let secret = endpoint(&stack.api_url, &organization.api_key, &url).await?;
        partner.expect_signatures(&organization.slug, &secret)?;
        made.push(organization);
    }
    Ok(made)
}

async fn one(stack: &Stack, number: usize, policy: &Value) -> anyhow::Result<Organization> {
    let slug = format!("chaos-{number}");
    let stripe_key = format!("sk_test_{slug}");
    let razorpay_key_id = format!("rzp_test_{slug}");
    let webhook_secret = "whsec_Y2hhb3Mtd2ViaG9vay1zZWNyZXQtMDEyMzQ1Njc4";
    let wanted = json!({
        "organization": { "name": format!("Chaos {number}"), "slug": slug },
        "policy": policy,
        "connections": [
            {
                "provider": "stripe",
                "account_id": format!("acct_{slug}"),
                "credentials": { "provider": "stripe", "secret_key": stripe_key },
                "webhook_secrets": [webhook_secret],
            },
            {
                "provider": "razorpay",
                "account_id": format!("acc_{slug}"),
                "credentials": {
                    "provider": "razorpay",
                    "key_id": razorpay_key_id,
                    "key_secret": "chaos-razorpay-key",
                },
                "webhook_secrets": ["chaos-razorpay-webhooks"],
            },
        ],
    });
    let answer = stack.api(&["seed"], wanted.to_string().as_bytes()).await?;
    let answer: Value = serde_json::from_slice(&answer)?;
    let text = |value: &Value| value.as_str().map(str::to_owned).context("an id");
    let webhook = |provider: &str| -> anyhow::Result<String> {
        let id = text(&answer["connections"][provider]["id"])?;
        Ok(format!("{}/v1/webhooks/{provider}/{id}", stack.api_url))
    };
    let sandbox = &stack.sandbox;
    let account = json!({ "key": stripe_key, "account_id": format!("acct_{slug}") });
    sandbox.control("stripe/accounts", &account).await?;
    let hook = json!({ "key": stripe_key, "url": webhook("stripe")?, "secrets": [webhook_secret] });
    sandbox.control("stripe/webhooks", &hook).await?;
    let account = json!({
        "key_id": razorpay_key_id,
        "key_secret": "chaos-razorpay-key",
        "account_id": format!("acc_{slug}"),
    });
    sandbox.control("razorpay/accounts", &account).await?;
    let hook = json!({
        "key_id": razorpay_key_id, "url": webhook("razorpay")?, "secret": "chaos-razorpay-webhooks",
    });
    sandbox.control("razorpay/webhooks", &hook).await?;
    Ok(Organization {
        slug,
        api_key: text(&answer["api_key"])?,
        stripe_key,
        razorpay_key_id,
    })
}

/// Registers the endpoint; answers its secret.
async fn endpoint(api_url: &str, api_key: &str, url: &str) -> anyhow::Result<String> {
    let answer = reqwest::Client::new()
        .post(format!("{api_url}/v1/webhook-endpoints"))
        .bearer_auth(api_key)
        .json(&json!({ "url": url, "event_types": ["*"] }))
        .send()
        .await?
        .error_for_status()?;
    let answer: Value = answer.json().await?;
    let secret = answer["secret"].as_str().context("the endpoint's secret")?;
    Ok(secret.to_owned())
}
