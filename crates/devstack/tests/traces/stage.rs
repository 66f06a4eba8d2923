//! All of Tinko as processes, and a collector that the test plays.

use std::time::Duration;

use devstack::servers::Durability;
use devstack::{Binaries, Stack, StackOptions};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

pub(crate) const SERVICES: [&str; 3] = ["api", "retry-worker", "notifier"];
/// So that work that goes well is told as well.
const LOG_LEVEL: &str = "info,api=debug,retry_worker=debug,notifier=debug";
/// For anything that is only to come about.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Stage {
    pub(crate) stack: Stack,
    pub(crate) database: Client,
    // Removed after the stack has let go of it.
    _folder: TempDir,
}

/// A payment that failed, and whose it is.
pub(crate) struct Failed {
    pub(crate) payer: String,
    pub(crate) reference: String,
}

impl Stage {
    /// Everything runs, and exports to `endpoint`; `steps` are those of the policy.
    pub(crate) async fn start(endpoint: String, steps: &Value) -> Self {
        // An error means that a provider is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let mut options = StackOptions::new(folder.path().join("stack"), Binaries::find().unwrap());
        options.durability = Durability::Fast;
        options.otlp_endpoint = Some(endpoint);
        LOG_LEVEL.clone_into(&mut options.log_level);
        options.policy = policy(steps);
        let stack = Stack::start(options).await.unwrap();
        let (database, connection) = tokio_postgres::connect(&stack.postgres_url, NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        Self {
            stack,
            database,
            _folder: folder,
        }
    }

    /// A card payment fails at Stripe, which reports it; our own charges fail as well.
    pub(crate) async fn fail_payment(&self, name: &str) -> Failed {
        let failed = Failed {
            payer: format!("{name}@payer.example"),
            reference: name.to_owned(),
        };
        let body = json!({
            "key": self.stack.keys.stripe.secret_key.expose_secret(),
            "amount": 4_900, "currency": "eur", "decline_code": "insufficient_funds",
            "outcomes_after": ["insufficient_funds"],
            "customer_email": failed.payer,
            "metadata": { "transaction_ref": failed.reference },
        });
        let control = self.stack.sandbox.control("stripe/fail_payment", &body);
        control.await.unwrap();
        failed
    }

    /// Waits until the payer has got so many messages.
    pub(crate) async fn messages(&self, failed: &Failed, count: usize) {
        let inbox = &self.stack.sandbox;
        let came = inbox
            .wait_for_messages(&failed.payer, count, PATIENCE)
            .await;
        assert_eq!(came.unwrap().as_array().map(Vec::len), Some(count));
    }

    /// What `telemetry_spans_total` of a service says of the spans of this outcome.
    pub(crate) async fn spans(&mut self, service: &str, outcome: &str) -> u64 {
        let admin = self
            .stack
            .process(service)
            .unwrap()
            .ready()
            .admin()
            .unwrap();
        let page = reqwest::get(format!("http://{admin}/metrics"))
            .await
            .unwrap();
        let line = format!("telemetry_spans_total{{outcome=\"{outcome}\"}} ");
        let page = page.text().await.unwrap();
        let found = page.lines().find_map(|it| it.strip_prefix(&line));
        found.map_or(0, |count| count.parse().unwrap())
    }
}

fn policy(steps: &Value) -> Value {
    json!({
        "name": "Traced",
        "max_retries": 5,
        "jitter_percent": 0,
        "silent_charges": 1,
        "steps": steps,
        "enabled_channels": ["email"],
        "stop_after_seconds": 604_800,
        "link_ttl_seconds": 604_800,
        "quiet_hours": { "enabled": false },
    })
}
