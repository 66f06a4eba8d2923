//! Signs and verifies for `scripts/check-signatures`: one JSON command a line on standard
//! input, one JSON answer a line on standard output.

#![expect(
    clippy::disallowed_methods,
    reason = "run by hand, where no clock is driven"
)]

use std::io::{BufRead as _, Write as _};

use anyhow::Context as _;
use chrono::{TimeDelta, Utc};
use partners::SigningKey;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Command {
    /// A partner webhook, as the notifier signs it.
    Sign {
        key: String,
        id: String,
        timestamp: i64,
        body: String,
    },
    /// A partner webhook that somebody else signed.
    Verify {
        key: String,
        id: String,
        timestamp: i64,
        header: String,
        body: String,
    },
    /// Stripe's webhook, as the sandbox signs it.
    SignStripe {
        secret: String,
        timestamp: i64,
        body: String,
    },
    /// Stripe's webhook, as the api verifies it.
    VerifyStripe {
        secret: String,
        header: String,
        body: String,
    },
}

impl Command {
    fn obey(self) -> anyhow::Result<Value> {
        Ok(match self {
            Self::Sign {
                key,
                id,
                timestamp,
                body,
            } => {
                let key = SigningKey::parse(&key)?;
                let signature = key.sign(&id, timestamp, body.as_bytes());
                json!({ "signature": signature, "public": key.public() })
            }
            Self::Verify {
                key,
                id,
                timestamp,
                header,
                body,
            } => {
                let key = SigningKey::parse(&key)?;
                let named = (id.as_str(), timestamp, header.as_str());
                let judged = key.verify(named, body.as_bytes(), Utc::now());
                json!({ "genuine": judged.is_ok() })
            }
            Self::SignStripe {
                secret,
                timestamp,
                body,
            } => {
                let header =
                    sandbox::webhooks::stripe_signature(&[secret], body.as_bytes(), timestamp);
                json!({ "header": header.context("the sandbox did not sign")? })
            }
            Self::VerifyStripe {
                secret,
                header,
                body,
            } => {
                let secrets = [SecretString::from(secret)];
                let tolerance = TimeDelta::minutes(5);
                let now = Utc::now();
                let judged =
                    psp::webhook::verify_stripe(&header, body.as_bytes(), &secrets, now, tolerance);
                json!({ "genuine": judged.is_ok() })
            }
        })
    }
}

fn main() -> anyhow::Result<()> {
    let mut answers = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let command: Command = serde_json::from_str(&line?)?;
        writeln!(answers, "{}", command.obey()?)?;
        answers.flush()?;
    }
    Ok(())
}
