//! `ingest-batch`: failures accepted by the batch endpoint, every row durable, against `COPY` of the
//! same rows into the same tables.

mod ceiling;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context as _, ensure};
use chrono::{DateTime, Utc};
use devstack::stack::Replicas;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::ground::{Ground, Settings};
use crate::load::Line;
use crate::rate::{Rate, Ratio};
use crate::report::{Report, Table};

/// How much of the ceiling is asked for.
const LEAST: Ratio = Ratio::wanted(0.3);

/// How much.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Failures in one request, at most a thousand.
    pub batch: u64,
    /// Requests in all.
    pub batches: u64,
    /// HTTP connections.
    pub connections: usize,
}

/// Measures. An error says what makes the figures worth nothing.
pub async fn run(settings: &Settings, options: Options) -> anyhow::Result<Report> {
    let api_only = Replicas {
        api: 1,
        retry_worker: 0,
        notifier: 0,
    };
    // As much as comes: what is measured is the work, not the limit.
    let unlimited = ("api", "TINKO__RATE_INGEST", "1000000/s burst 1000000");
    let mut ground = Ground::start(settings, api_only, &[unlimited]).await?;
    let server = ground.database.described().await?;
    ground.database.checkpoint().await?;
    let begun = Instant::now();
    send(&ground, settings.now, options).await?;
    let events = options.batch * options.batches;
    let accepted = Rate::of(events, begun.elapsed());
    let opened = ground.database.rows("recoveries").await?;
    ensure!(
        opened == events,
        "{events} failures were accepted, which opened {opened} recoveries"
    );
    ground.stack.terminate("api").await?;
    let copied = ceiling::measure(&mut ground, events).await?;
    ground.stack.stop().await;
    Ok(report(&server, options, accepted, copied))
}

/// Sends all batches over the connections, each its next when it has the answer to its last.
async fn send(ground: &Ground, now: DateTime<Utc>, options: Options) -> anyhow::Result<()> {
    let url = format!(
        "{}/v1/events/payment_failed/batch",
        ground.stack.keys.api_url
    );
    let key = format!("Bearer {}", ground.stack.api_key().expose_secret());
    let left = Arc::new(AtomicU64::new(options.batches));
    let mut senders = JoinSet::new();
    for _ in 0..options.connections {
        let mut line = Line::open(&url).await?;
        let (left, key) = (Arc::clone(&left), key.clone());
        senders.spawn(async move {
            let less_one = |left: u64| left.checked_sub(1);
            while let Ok(number) = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less_one)
            {
                let body = body(number, options.batch, now).to_string();
                let answer = line.post(&[("authorization", &key)], body).await?;
                let answer: Value = serde_json::from_slice(&answer)?;
                let recorded = answer["recorded"].as_u64();
                ensure!(
                    recorded == Some(options.batch),
                    "a batch was not taken whole: {answer}"
                );
            }
            anyhow::Ok(())
        });
    }
    while let Some(sender) = senders.join_next().await {
        sender.context("a connection's task ended early")??;
    }
    Ok(())
}

/// Failures of payments that no other batch is about.
fn body(number: u64, size: u64, now: DateTime<Utc>) -> Value {
    let failure = |place: u64| {
        json!({
            "transaction_ref": format!("order-{number:08x}-{place:04x}"),
            "idempotency_key": format!("order-{number:08x}-{place:04x}-failed"),
            "amount": 4_900,
            "currency": "EUR",
            "failure_reason": "insufficient_funds",
            "occurred_at": now.to_rfc3339(),
            "customer": { "email": format!("payer-{number:08x}-{place:04x}@example.com"), "locale": "en" },
        })
    };
    json!({ "events": (0..size).map(failure).collect::<Vec<_>>() })
}

fn report(server: &str, options: Options, accepted: Rate, copied: Rate) -> Report {
    let ratio = accepted.ratio_to(copied);
    let title = format!(
        "ingest-batch: {} requests of {} failures over {} connections; {server}",
        options.batches, options.batch, options.connections
    );
    let mut table = Table::new(title, &["", "events/s"]);
    table.row(["api, accepted and durable".to_owned(), accepted.to_string()]);
    table.row([
        "ceiling: COPY of the same rows".to_owned(),
        copied.to_string(),
    ]);
    table.row(["ratio".to_owned(), ratio.to_string()]);
    Report::new("ingest-batch")
        .table(table)
        .figure("events_per_s", accepted)
        .figure("ceiling_per_s", copied)
        .figure("ratio", ratio)
        .floor("what COPY does", ratio, LEAST)
}
