//! `ingest`: failure events accepted over HTTP, every row durable, against pgbench writing the same
//! rows, one transaction each.
//!
//! Only the api runs beside the servers and the sandbox (which is idle): retry-worker and notifier
//! would write rows of their own, which the ceiling does not.

mod ceiling;
mod rows;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use devstack::stack::Replicas;
use hdrhistogram::Histogram;

use crate::ground::{Ground, Settings};
use crate::load::{self, Answered, Span};
use crate::rate::{Rate, Ratio, millis, millis_each};
use crate::report::{Report, Table};
use rows::Rows;

/// Clients of the ceiling. The api has as many connections to Postgres, so that neither side can put
/// more commits into one flush than the other.
const CLIENTS: u32 = 32;
/// Of the ceiling.
const LEAST: Ratio = Ratio::wanted(0.6);

/// How long and how wide.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// HTTP connections.
    pub connections: usize,
    /// Before the measurement, of the api and of the ceiling.
    pub warm_up: Duration,
    /// The measurement, of the api and of the ceiling.
    pub measured: Duration,
}

/// Measures. An error says what makes the figures worth nothing.
pub async fn run(settings: &Settings, options: Options) -> anyhow::Result<Report> {
    let api_only = Replicas {
        api: 1,
        retry_worker: 0,
        notifier: 0,
    };
    let connections = CLIENTS.to_string();
    let pool = (
        "api",
        "TINKO__DATABASE_MAX_CONNECTIONS",
        connections.as_str(),
    );
    let mut ground = Ground::start(settings, api_only, &[pool]).await?;
    let server = ground.database.described().await?;
    let idle = ground.processor_time("api")?;
    let answered = accept(&ground, settings, options).await?;
    let busy = ground.processor_time("api")?.saturating_sub(idle);
    let ceiling = ceiling(&mut ground, settings, options).await?;
    ground.stack.stop().await;
    let cpu = millis_each(busy, answered.accepted);
    Ok(report(&server, options, &answered, ceiling).figure("api_cpu_ms", cpu))
}

async fn ceiling(
    ground: &mut Ground,
    settings: &Settings,
    options: Options,
) -> anyhow::Result<Rate> {
    // Idle, but it has connections, and timers that look.
    ground.stack.terminate("api").await?;
    let body = ground.webhooks(settings.now).body(0);
    let server = ground
        .stack
        .postgres()
        .context("the stack has no Postgres")?;
    ceiling::measure(server, &settings.folder, body, settings.now, options).await
}

async fn accept(
    ground: &Ground,
    settings: &Settings,
    options: Options,
) -> anyhow::Result<Answered> {
    let webhooks = Arc::new(ground.webhooks(settings.now));
    let span = Span::Time {
        warm_up: options.warm_up,
        measured: options.measured,
    };
    let before = Rows::count(&ground.database).await?;
    ground.database.checkpoint().await?;
    let url = ground.webhook_url();
    let answered = load::send(&webhooks, url, options.connections, span).await?;
    ensure!(
        answered.measured > 0,
        "no webhook was answered in the measured time"
    );
    let after = Rows::count(&ground.database).await?;
    after.since(&before).are_of(answered.accepted, "the api")?;
    Ok(answered)
}

fn report(server: &str, options: Options, answered: &Answered, ceiling: Rate) -> Report {
    let events = Rate::of(answered.measured, answered.time);
    let ratio = events.ratio_to(ceiling);
    let seconds = options.measured.as_secs();
    let title = format!(
        "ingest: signed webhooks over {} connections, closed loop, {seconds} s; {server}",
        options.connections
    );
    let mut table = Table::new(title, &["", "events/s", "p50 ms", "p99 ms", "p99.9 ms"]);
    let at = |quantile| percentile(&answered.latencies, quantile);
    let (p50, p99, p999) = (at(0.5), at(0.99), at(0.999));
    table.row([
        "api, accepted and durable".to_owned(),
        events.to_string(),
        p50.clone(),
        p99.clone(),
        p999.clone(),
    ]);
    table.row([
        format!("ceiling: pgbench, the same rows, {CLIENTS} clients"),
        ceiling.to_string(),
        String::new(),
        String::new(),
        String::new(),
    ]);
    table.row([
        "ratio".to_owned(),
        ratio.to_string(),
        String::new(),
        String::new(),
        String::new(),
    ]);
    Report::new("ingest")
        .table(table)
        .figure("events_per_s", events)
        .figure("ceiling_per_s", ceiling)
        .figure("ratio", ratio)
        .figure("p50_ms", p50)
        .figure("p99_ms", p99)
        .figure("p999_ms", p999)
        .figure("accepted", answered.accepted)
        .figure("rows_match", "yes")
        .floor("what pgbench does", ratio, LEAST)
}

fn percentile(latencies: &Histogram<u64>, quantile: f64) -> String {
    millis(latencies.value_at_quantile(quantile))
}
