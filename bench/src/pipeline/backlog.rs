//! The failures that wait.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::Options;
use crate::ground::{Ground, Settings};
use crate::load::{self, Span};
use crate::rate::Rate;
use crate::webhook::Webhooks;

/// How many payers' inboxes are looked into: each look walks all messages.
const LOOKS: u64 = 25;
/// How long a mail that Postgres knows as sent may take to be in the inbox: it is there before.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the api may take to publish the last of a backlog.
const PUBLISHED_WITHIN: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(50);

/// What was accepted and not planned yet when a clock starts.
#[derive(Debug)]
pub(super) struct Backlog {
    webhooks: Arc<Webhooks>,
    options: Options,
    /// The number of its first webhook.
    first: u64,
    /// Notifications that were there before it.
    before: u64,
    filled: Rate,
}

impl Backlog {
    pub(super) fn new(ground: &Ground, settings: &Settings, options: Options) -> Self {
        Self {
            webhooks: Arc::new(ground.webhooks(settings.now)),
            options,
            first: 0,
            before: 0,
            filled: Rate::measured(0.0),
        }
    }

    /// Sends it through the api, and waits until all of it lies in Redis, as it does when
    /// retry-workers cannot keep up.
    pub(super) async fn fill(&mut self, ground: &Ground) -> anyhow::Result<()> {
        self.first = self.webhooks.made();
        self.before = ground.database.rows("notifications").await?;
        let size = self.size();
        let url = ground.webhook_url();
        let connections = self.options.connections;
        let span = Span::Webhooks(size);
        let answered = load::send(&self.webhooks, url, connections, span).await?;
        self.filled = Rate::of(answered.accepted, answered.time);
        let waiting = "SELECT count(*) FROM outbox WHERE stream = 'failures'";
        let owed = ground.database.number(waiting).await?;
        ensure!(
            answered.accepted == size && owed == size,
            "{size} failures were sent, {} accepted, and {owed} wait for a plan",
            answered.accepted
        );
        let published = tokio::time::timeout(PUBLISHED_WITHIN, published(ground));
        published
            .await
            .context("the api did not publish all that it accepted")?
    }

    pub(super) const fn size(&self) -> u64 {
        self.options.backlog
    }

    /// How fast the api took it.
    pub(super) const fn filled(&self) -> Rate {
        self.filled
    }

    /// Notifications that were there before it.
    pub(super) const fn before(&self) -> u64 {
        self.before
    }

    /// A payer of it.
    pub(super) fn first_payer(&self) -> String {
        self.webhooks.payer_email(self.first)
    }

    /// Looks into payers' inboxes, spread over the backlog: each has got one message.
    pub(super) async fn check_inbox(&self, ground: &Ground) -> anyhow::Result<()> {
        let looks = LOOKS.min(self.size());
        for look in 0..looks {
            let number = self.first + look * self.size() / looks;
            let payer = self.webhooks.payer_email(number);
            let sandbox = &ground.stack.sandbox;
            let messages = sandbox.wait_for_messages(&payer, 1, PATIENCE).await;
            let messages = messages.with_context(|| format!("{payer} got no message"))?;
            let count = messages.as_array().map_or(0, Vec::<Value>::len);
            ensure!(count == 1, "{payer} got {count} messages about one payment");
        }
        Ok(())
    }
}

async fn published(ground: &Ground) -> anyhow::Result<()> {
    let left = "SELECT count(*) FROM outbox WHERE published_at IS NULL";
    while ground.database.number(left).await? > 0 {
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}
