//! Webhooks sent at a steady rate, and when their mails came.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use hdrhistogram::Histogram;

use crate::database::SENT;
use crate::ground::{Ground, Settings};
use crate::latencies;
use crate::load;
use crate::webhook::Webhooks;

const POLL: Duration = Duration::from_millis(50);

/// All webhooks of a run.
pub(super) struct Arrivals {
    pub(super) webhooks: Arc<Webhooks>,
}

impl Arrivals {
    pub(super) fn new(ground: &Ground, settings: &Settings) -> Self {
        Self {
            webhooks: Arc::new(ground.webhooks(settings.now)),
        }
    }

    /// Sends `count` webhooks, `per_second` each second, and waits for their mails. Answers
    /// microseconds from when each was to be sent until its mail was taken.
    pub(super) async fn at(
        &mut self,
        ground: &Ground,
        per_second: u32,
        count: u64,
        connections: usize,
    ) -> anyhow::Result<Histogram<u64>> {
        let first = self.webhooks.made();
        let begun_at = now();
        let begun = Instant::now();
        let every = Duration::from_secs(1) / per_second;
        // Each has something to send about once a second: the api closes those that are idle longer.
        let connections = connections.min(usize::try_from(per_second)?);
        let url = ground.webhook_url();
        load::send_steadily(&self.webhooks, url, connections, every, begun, count).await?;
        let came = self.all_came(ground).await?;
        let mut latencies = latencies::none()?;
        for number in 0..count {
            let payer = self.webhooks.payer_email(first + number);
            let came = came
                .get(&payer)
                .with_context(|| format!("{payer} got no mail"))?;
            let number = u32::try_from(number)?;
            let due = begun_at + TimeDelta::from_std(every.saturating_mul(number))?;
            // A mail that came before its webhook was due is some clock's step.
            let latency = (*came - due).to_std().unwrap_or_default();
            latencies::record(&mut latencies, latency)?;
        }
        Ok(latencies)
    }

    /// Waits until every webhook has its mail; answers when each payer's came.
    pub(super) async fn all_came(
        &self,
        ground: &Ground,
    ) -> anyhow::Result<HashMap<String, DateTime<Utc>>> {
        ground
            .database
            .until(SENT, self.webhooks.made(), POLL)
            .await?;
        let messages = ground.stack.sandbox.get("/inbox/messages").await?;
        let messages = messages.as_array().context("the inbox is no list")?;
        let mut came = HashMap::new();
        for message in messages {
            let (to, at) = (message["to"].as_str(), message["received_at"].as_str());
            let (to, at) = to.zip(at).context("a message without address or time")?;
            let twice = came.insert(to.to_owned(), at.parse()?);
            ensure!(twice.is_none(), "{to} got two messages about one payment");
        }
        Ok(came)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "what is measured is time, by the clock of the inbox"
)]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}
