//! `footprint`: what each service takes of the machine, idle and while all of them work.
//!
//! The load is that of `ingest`, with retry-worker and notifier behind it, so that every failure
//! becomes an email: what a pod has to be given is what it takes then.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use devstack::stack::Replicas;

use crate::ground::{Ground, SERVICES, Settings};
use crate::load::{self, Span};
use crate::rate::{Percentage, millis};
use crate::report::{Report, Table};

const LOOK: Duration = Duration::from_millis(100);
/// What issue 8 asks for at least.
const MOST_MIB: u64 = 60;
const READY_WITHIN: Duration = Duration::from_millis(300);
const IDLE_AT_MOST: Percentage = Percentage::whole(1);

/// How long.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Without anything to do.
    pub idle: Duration,
    /// Under load.
    pub load: Duration,
    /// HTTP connections of the load.
    pub connections: usize,
}

/// What one service takes.
#[derive(Debug, Clone)]
struct Footprint {
    service: &'static str,
    binary_bytes: u64,
    /// From the start of its process until it says that it is ready.
    ready: Duration,
    idle_kib: u64,
    idle: Percentage,
    most_kib: u64,
}

/// Measures. An error says what makes the figures worth nothing.
pub async fn run(settings: &Settings, options: Options) -> anyhow::Result<Report> {
    let mut ground = Ground::start(settings, Replicas::default(), &[]).await?;
    let server = ground.database.described().await?;
    let mut found = Vec::new();
    for service in SERVICES {
        found.push(started(&mut ground, settings, service).await?);
    }
    idle(&mut ground, options.idle, &mut found).await?;
    busy(&mut ground, settings, options, &mut found).await?;
    ground.stack.stop().await;
    Ok(report(&server, options, &found))
}

async fn started(
    ground: &mut Ground,
    settings: &Settings,
    service: &'static str,
) -> anyhow::Result<Footprint> {
    ground.stack.terminate(service).await?;
    let begun = Instant::now();
    ground.stack.restart(service).await?;
    let ready = begun.elapsed();
    let binary = program(settings, service);
    let size =
        std::fs::metadata(binary).with_context(|| format!("{} is not there", binary.display()))?;
    Ok(Footprint {
        service,
        binary_bytes: size.len(),
        ready,
        idle_kib: 0,
        idle: Percentage::whole(0),
        most_kib: 0,
    })
}

fn program<'a>(settings: &'a Settings, service: &str) -> &'a Path {
    let binaries = &settings.binaries;
    match service {
        "api" => &binaries.api,
        "retry-worker" => &binaries.retry_worker,
        _ => &binaries.notifier,
    }
}

async fn idle(ground: &mut Ground, time: Duration, found: &mut [Footprint]) -> anyhow::Result<()> {
    // What a start leaves to do is over.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut before = Vec::new();
    for it in found.iter() {
        before.push(ground.processor_time(it.service)?);
    }
    let begun = Instant::now();
    tokio::time::sleep(time).await;
    for (it, before) in found.iter_mut().zip(before) {
        let used = ground.processor_time(it.service)?.saturating_sub(before);
        it.idle = Percentage::of(used, begun.elapsed());
        it.idle_kib = ground.resident_kib(it.service)?;
    }
    Ok(())
}

async fn busy(
    ground: &mut Ground,
    settings: &Settings,
    options: Options,
    found: &mut [Footprint],
) -> anyhow::Result<()> {
    let webhooks = std::sync::Arc::new(ground.webhooks(settings.now));
    let url = ground.webhook_url().to_owned();
    let span = Span::Time {
        warm_up: Duration::ZERO,
        measured: options.load,
    };
    let mut sending = Box::pin(load::send(&webhooks, &url, options.connections, span));
    loop {
        tokio::select! {
            sent = &mut sending => {
                sent?;
                return Ok(());
            }
            () = tokio::time::sleep(LOOK) => {
                for it in found.iter_mut() {
                    it.most_kib = it.most_kib.max(ground.resident_kib(it.service)?);
                }
            }
        }
    }
}

fn report(server: &str, options: Options, found: &[Footprint]) -> Report {
    let title = format!(
        "footprint: {} s idle, then {} s of webhooks over {} connections; {server}",
        options.idle.as_secs(),
        options.load.as_secs(),
        options.connections
    );
    let columns = [
        "",
        "program MiB",
        "ready ms",
        "idle MiB",
        "idle CPU %",
        "most MiB under load",
    ];
    let mut table = Table::new(title, &columns);
    let mut report = Report::new("footprint");
    let (mut most, mut slowest, mut busiest) = (0, Duration::ZERO, Percentage::whole(0));
    for it in found {
        let ready = u64::try_from(it.ready.as_micros()).unwrap_or(u64::MAX);
        table.row([
            it.service.to_owned(),
            (it.binary_bytes / (1024 * 1024)).to_string(),
            millis(ready),
            (it.idle_kib / 1024).to_string(),
            it.idle.to_string(),
            (it.most_kib / 1024).to_string(),
        ]);
        most = most.max(it.most_kib / 1024);
        slowest = slowest.max(it.ready);
        busiest = if it.idle > busiest { it.idle } else { busiest };
        for complaint in it.complaints() {
            report = report.complaint(complaint);
        }
    }
    let slowest = u64::try_from(slowest.as_micros()).unwrap_or(u64::MAX);
    report
        .table(table)
        .figure("most_mib", most)
        .figure("slowest_ready_ms", millis(slowest))
        .figure("most_idle_cpu_percent", busiest)
}

impl Footprint {
    fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        if self.most_kib / 1024 > MOST_MIB {
            complaints.push(format!(
                "{} takes {} MiB under load",
                self.service,
                self.most_kib / 1024
            ));
        }
        if self.ready > READY_WITHIN {
            complaints.push(format!("{} is ready after {:?}", self.service, self.ready));
        }
        if self.idle > IDLE_AT_MOST {
            complaints.push(format!(
                "{} takes {} % of a processor when idle",
                self.service, self.idle
            ));
        }
        complaints
    }
}
