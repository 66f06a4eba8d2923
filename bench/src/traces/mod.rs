//! `traces`: failures a second from webhook to accepted email while spans go nowhere, to a collector
//! that takes them, to an address where nobody listens, and to one that takes connections and never
//! answers.
//!
//! Each round measures all four, and each round begins with another, so that a slow moment of the
//! machine is everybody's. All services are started anew for each, and do some work before the clock
//! runs. Ratios are those within a round; what is shown is their median.

mod collector;
mod figures;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use devstack::os::resident_kib;
use devstack::stack::Replicas;

use crate::database::SENT;
use crate::ground::{Ground, SERVICES, Settings};
use crate::load::{self, Span};
use crate::rate::Rate;
use crate::report::Report;
use crate::webhook::Webhooks;
use collector::{Collector, Mode};
use figures::Figures;

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
/// Failures that are worked on before the clock runs: pools are full and statements prepared then.
const WARM_UP: u64 = 200;
const POLL: Duration = Duration::from_millis(20);

/// How much.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Failures that are measured at a time.
    pub events: u64,
    /// How often each of the four is measured.
    pub rounds: usize,
    /// HTTP connections that they come over.
    pub connections: usize,
}

/// What became of spans, by the services' own count, and what the services hold.
#[derive(Debug, Clone, Copy, Default)]
struct Spans {
    exported: u64,
    failed: u64,
    dropped: u64,
    resident_kib: u64,
}

/// One measurement.
#[derive(Debug, Clone, Copy)]
struct Measured {
    rate: Rate,
    spans: Spans,
}

/// Measures. An error says what makes the figures worth nothing.
pub async fn run(settings: &Settings, options: Options) -> anyhow::Result<Report> {
    let mut ground = Ground::start(settings, Replicas::default(), &[]).await?;
    let server = ground.database.described().await?;
    let mut load = Load {
        webhooks: Arc::new(ground.webhooks(settings.now)),
        connections: options.connections,
        sent: 0,
    };
    let mut collector = Collector::start().await;
    let mut figures = Figures::new(options.events);
    for round in 0..options.rounds {
        for turn in 0..Mode::ALL.len() {
            let mode = Mode::ALL[(round + turn) % Mode::ALL.len()];
            collector.turn(mode).await;
            restart(&mut ground, mode, &collector.endpoint()).await?;
            load.handled(&ground, WARM_UP.min(options.events)).await?;
            ground.database.checkpoint().await?;
            let rate = load.handled(&ground, options.events).await?;
            let spans = spans(&mut ground).await?;
            plausible(mode, spans)?;
            figures.add(mode, Measured { rate, spans });
        }
    }
    ground.stack.stop().await;
    Ok(figures.report(&server))
}

/// All services anew, with or without the address of a collector.
async fn restart(ground: &mut Ground, mode: Mode, endpoint: &str) -> anyhow::Result<()> {
    for service in SERVICES {
        let spec = ground.stack.process(service)?.spec_mut();
        spec.env.retain(|(name, _)| name != ENDPOINT);
        if mode != Mode::Off {
            spec.env.push((ENDPOINT.to_owned(), endpoint.to_owned()));
        }
        ground.stack.restart(service).await?;
    }
    Ok(())
}

/// Webhooks, and the mails that become of them.
struct Load {
    webhooks: Arc<Webhooks>,
    connections: usize,
    /// Over all rounds.
    sent: u64,
}

impl Load {
    /// Sends so many failures as fast as the api takes them, and waits until each has become a mail
    /// that the mail server took. How many a second were handled from the first webhook to the last
    /// mail.
    async fn handled(&mut self, ground: &Ground, events: u64) -> anyhow::Result<Rate> {
        let begun = Instant::now();
        let (url, span) = (ground.webhook_url(), Span::Webhooks(events));
        let answered = load::send(&self.webhooks, url, self.connections, span).await?;
        ensure!(
            answered.accepted == events,
            "{} of {events} failures were accepted",
            answered.accepted
        );
        self.sent += events;
        ground.database.until(SENT, self.sent, POLL).await?;
        Ok(Rate::of(events, begun.elapsed()))
    }
}

/// Sums over the three services.
async fn spans(ground: &mut Ground) -> anyhow::Result<Spans> {
    let mut all = Spans::default();
    for service in SERVICES {
        let process = ground.stack.process(service)?;
        let admin = process.ready().admin();
        let admin = admin.with_context(|| format!("{service} has no admin port"))?;
        all.resident_kib += resident_kib(process.pid()).unwrap_or_default();
        let page = reqwest::get(format!("http://{admin}/metrics"));
        let page = page.await?.error_for_status()?.text().await?;
        let count = |outcome: &str| -> anyhow::Result<u64> {
            let line = format!("telemetry_spans_total{{outcome=\"{outcome}\"}} ");
            let found = page.lines().find_map(|it| it.strip_prefix(&line));
            Ok(found.map_or(Ok(0), str::parse)?)
        };
        all.exported += count("exported")?;
        all.failed += count("failed")?;
        all.dropped += count("dropped")?;
    }
    Ok(all)
}

/// A figure is of what it is said to be of.
fn plausible(mode: Mode, spans: Spans) -> anyhow::Result<()> {
    let right = match mode {
        Mode::Off => spans.exported == 0 && spans.failed == 0 && spans.dropped == 0,
        Mode::Alive => spans.exported > 0 && spans.failed == 0,
        // A call of a silent collector fails only after ten seconds.
        Mode::Dead | Mode::Silent => spans.exported == 0,
    };
    ensure!(right, "with {}, spans were: {spans:?}", mode.name());
    Ok(())
}
