//! The stack that is measured: servers of its own with durable settings, and the services.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use devstack::os::{processor_time, resident_kib};
use devstack::servers::Durability;
use devstack::stack::Replicas;
use devstack::{Binaries, Stack, StackOptions};
use serde_json::{Value, json};

use crate::database::Database;
use crate::webhook::Webhooks;

/// The services, in the order of an event.
pub const SERVICES: [&str; 3] = ["api", "retry-worker", "notifier"];

/// What every bench is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Gets the servers' data and the logs; what is in it is removed first.
    pub folder: PathBuf,
    /// The programs that are measured.
    pub binaries: Binaries,
    /// The time of the start.
    pub now: DateTime<Utc>,
}

/// A running stack.
#[derive(Debug)]
pub struct Ground {
    /// All of Tinko.
    pub stack: Stack,
    /// Its database.
    pub database: Database,
}

impl Ground {
    /// Starts on an empty folder. `settings_of` changes services' settings from the defaults.
    pub async fn start(
        settings: &Settings,
        replicas: Replicas,
        settings_of: &[(&str, &str, &str)],
    ) -> anyhow::Result<Self> {
        Self::start_with(settings, replicas, settings_of, message_at_once()).await
    }

    /// The same with another policy for the organization.
    pub async fn start_with(
        settings: &Settings,
        replicas: Replicas,
        settings_of: &[(&str, &str, &str)],
        policy: Value,
    ) -> anyhow::Result<Self> {
        let mut options = StackOptions::new(&settings.folder, settings.binaries.clone());
        options.durability = Durability::Full;
        options.reset = true;
        options.replicas = replicas;
        options.policy = policy;
        for (service, name, value) in settings_of {
            options = options.with_env(service, name, *value);
        }
        let stack = Stack::start(options)
            .await
            .context("the stack to be measured did not start")?;
        let database = Database::connect(&stack.postgres_url).await?;
        Ok(Self { stack, database })
    }

    /// Webhooks that the stack's organization takes.
    pub fn webhooks(&self, now: DateTime<Utc>) -> Webhooks {
        Webhooks::new(&self.stack.keys.stripe.webhook_secret, now)
    }

    /// The processor time that a service's only process has taken since it began.
    pub fn processor_time(&mut self, service: &str) -> anyhow::Result<Duration> {
        let pid = self.stack.process(service)?.pid();
        processor_time(pid).context("the kernel says nothing of the process's time")
    }

    /// The resident memory of a service's only process, in KiB.
    pub fn resident_kib(&mut self, service: &str) -> anyhow::Result<u64> {
        let pid = self.stack.process(service)?.pid();
        resident_kib(pid).context("the kernel says nothing of memory")
    }

    /// Where it takes them.
    pub fn webhook_url(&self) -> &str {
        &self.stack.keys.stripe.webhook_url
    }
}

/// One email, due at once, and no charge: the shortest way from a failure to an inbox.
fn message_at_once() -> Value {
    json!({
        "name": "One email at once",
        "max_retries": 1,
        "initial_delay_seconds": 0,
        "max_delay_seconds": 0,
        "jitter_percent": 0,
        "silent_charges": 0,
        "steps": [{ "delay_seconds": 0, "action": "message" }],
        "enabled_channels": ["email"],
        "stop_after_seconds": 86_400,
        "link_ttl_seconds": 86_400,
    })
}

#[cfg(test)]
mod tests {
    use domain::RetryPolicy;

    use super::*;

    #[test]
    fn the_policy_can_be_followed() {
        RetryPolicy::from_json(&message_at_once()).unwrap();
    }
}
