//! `latency`: from a failed payment's webhook to the email in the payer's inbox.
//!
//! Open loop: webhooks go out at a steady rate whatever becomes of those before, and a latency runs
//! from the moment at which its webhook was to go out until the sandbox's mail server had the mail.

mod arrivals;

pub(crate) use arrivals::now;

use std::time::Duration;

use anyhow::ensure;
use devstack::stack::Replicas;
use hdrhistogram::Histogram;

use crate::ground::{Ground, Settings};
use crate::load::{self, Span};
use crate::rate::{Rate, millis};
use crate::report::{Report, Table};
use arrivals::Arrivals;

/// What issue 8 asks for at least, of a path that is idle: microseconds.
const IDLE_P99_AT_MOST: u64 = 40_000;

/// How much.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Webhooks a second on a path that is idle.
    pub idle_per_second: u32,
    /// How long each of the two rates is kept.
    pub time: Duration,
    /// Webhooks by which the highest rate is found.
    pub flood: u64,
    /// HTTP connections.
    pub connections: usize,
}

/// Latencies at one rate.
struct Measured {
    when: &'static str,
    rate: Rate,
    latencies: Histogram<u64>,
}

/// Measures. An error says what makes the figures worth nothing.
pub async fn run(settings: &Settings, options: Options) -> anyhow::Result<Report> {
    let ground = Ground::start(settings, Replicas::default(), &[]).await?;
    let server = ground.database.described().await?;
    let mut arrivals = Arrivals::new(&ground, settings);
    // The first ones find empty pools and statements that nobody has prepared.
    arrivals.at(&ground, 20, 40, options.connections).await?;
    let idle = options.idle_per_second;
    let mut all = vec![measured(&ground, &mut arrivals, "idle", idle, options).await?];
    let highest = highest(&ground, &mut arrivals, options).await?;
    let half = highest.percent_of(50).max(1);
    all.push(
        measured(
            &ground,
            &mut arrivals,
            "half of the highest rate",
            half,
            options,
        )
        .await?,
    );
    ground.stack.stop().await;
    Ok(report(&server, options, highest, &all))
}

async fn measured(
    ground: &Ground,
    arrivals: &mut Arrivals,
    when: &'static str,
    per_second: u32,
    options: Options,
) -> anyhow::Result<Measured> {
    ground.database.checkpoint().await?;
    let count = u64::from(per_second).saturating_mul(options.time.as_secs());
    let latencies = arrivals
        .at(ground, per_second, count, options.connections)
        .await?;
    ensure!(
        latencies.len() == count,
        "{} of {count} mails came",
        latencies.len()
    );
    Ok(Measured {
        when,
        rate: Rate::of(count, options.time),
        latencies,
    })
}

/// Closed loop, until the last mail has come.
async fn highest(
    ground: &Ground,
    arrivals: &mut Arrivals,
    options: Options,
) -> anyhow::Result<Rate> {
    let begun = std::time::Instant::now();
    let (url, span) = (ground.webhook_url(), Span::Webhooks(options.flood));
    load::send(&arrivals.webhooks, url, options.connections, span).await?;
    arrivals.all_came(ground).await?;
    Ok(Rate::of(options.flood, begun.elapsed()))
}

fn report(server: &str, options: Options, highest: Rate, all: &[Measured]) -> Report {
    let title = format!(
        "latency: webhook to inbox, open loop, {} s each; {highest} events/s is the highest rate; {server}",
        options.time.as_secs()
    );
    let mut table = Table::new(
        title,
        &["", "events/s", "p50 ms", "p99 ms", "p99.9 ms", "slowest ms"],
    );
    let mut report = Report::new("latency").figure("highest_per_s", highest);
    let keys = [
        ("idle_p50_ms", "idle_p99_ms"),
        ("half_p50_ms", "half_p99_ms"),
    ];
    for (it, (p50, p99)) in all.iter().zip(keys) {
        let at = |quantile| millis(it.latencies.value_at_quantile(quantile));
        table.row([
            it.when.to_owned(),
            it.rate.to_string(),
            at(0.5),
            at(0.99),
            at(0.999),
            millis(it.latencies.max()),
        ]);
        report = report.figure(p50, at(0.5)).figure(p99, at(0.99));
    }
    let report = report.table(table);
    match all
        .first()
        .map(|idle| idle.latencies.value_at_quantile(0.99))
    {
        Some(p99) if p99 >= IDLE_P99_AT_MOST => report.complaint(format!(
            "the 99th percentile of an idle path is {} ms, and {} ms is what it may be",
            millis(p99),
            millis(IDLE_P99_AT_MOST)
        )),
        _ => report,
    }
}
