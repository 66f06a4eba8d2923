//! `read`: what reads cost with a million transactions of one organization, against `/v1/me`, which
//! costs what every authenticated request costs.
//!
//! Rows are written by Postgres itself, and counted by what `api rebuild-rollups` runs. Only the api
//! runs beside the servers and the sandbox. All paths are asked in one run, in turn, at a steady rate,
//! so that a slow moment of the machine is everybody's.

mod ask;
mod figures;
mod routes;
mod seed;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use devstack::stack::Replicas;
use hdrhistogram::Histogram;
use secrecy::ExposeSecret as _;

use crate::ground::{Ground, Settings};
use crate::report::Report;
use ask::Asker;
use figures::Measured;
use routes::{Kind, Route};

/// How much and how long.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Transactions of the organization.
    pub transactions: u64,
    /// HTTP connections.
    pub connections: usize,
    /// Requests a second, of all routes together.
    pub rate: u32,
    /// Rounds that count; one before them counts for no figure.
    pub rounds: u32,
    /// How often each route is asked in a round.
    pub each: u32,
}

/// The export of everything: read once, while nothing else is asked.
#[derive(Debug)]
struct Exported {
    lines: u64,
    bytes: u64,
    took: Duration,
    /// The api's resident memory before it, and the most while it was written, in KiB.
    memory: (u64, u64),
}

/// Measures. An error says what makes the figures worth nothing.
pub async fn run(settings: &Settings, options: Options) -> anyhow::Result<Report> {
    let api_only = Replicas {
        api: 1,
        retry_worker: 0,
        notifier: 0,
    };
    // What is measured is reading, not being refused.
    let rate = ("api", "TINKO__RATE_READ", "100000/s burst 100000");
    let mut ground = Ground::start(settings, api_only, &[rate]).await?;
    let server = ground.database.described().await?;
    let seeded = seed::seed(&ground, settings, options.transactions).await?;
    let asker = Asker::new(
        &ground.stack.api_url,
        ground.stack.api_key().expose_secret(),
    )?;
    let year = settings.now - TimeDelta::days(seed::DAYS - 1);
    let year = format!("from={}", year.format("%Y-%m-%d"));
    let routes = routes::all(&ground.database, &asker, &seeded, &year).await?;
    let measured = measure(&asker, routes, options).await?;
    let exported = export(&asker, &mut ground, &year).await?;
    ground.stack.stop().await;
    figures::report(&server, options, seeded.took, &measured, &exported)
}

/// Asks all routes in turn, round after round.
async fn measure(
    asker: &Asker,
    routes: Vec<Route>,
    options: Options,
) -> anyhow::Result<Vec<Measured>> {
    let paths: Vec<String> = routes.iter().map(|route| route.path.clone()).collect();
    let paths = Arc::new(paths);
    let mut measured: Vec<Measured> = routes.into_iter().map(Measured::nothing).collect();
    let interval = Duration::from_secs(1) / options.rate;
    for round in 0..=options.rounds {
        let order = order(&measured, options.each);
        let round_of = asker.ask(&paths, order, interval, options.connections);
        let by_route: Vec<Histogram<u64>> = round_of.await?;
        // The first prepares statements and fills caches.
        if round > 0 {
            for (route, latencies) in measured.iter_mut().zip(by_route) {
                route.rounds.push(latencies);
            }
        }
    }
    Ok(measured)
}

/// One route after the other, `each` times over. `/v1/me` comes after every eighth, since all others
/// are compared with it.
fn order(measured: &[Measured], each: u32) -> Vec<usize> {
    let me = measured.iter().position(|it| it.route.kind == Kind::Me);
    let mut order = Vec::new();
    for _ in 0..each {
        for route in 0..measured.len() {
            order.push(route);
            if order.len() % 8 == 0 {
                order.extend(me);
            }
        }
    }
    order
}

async fn export(asker: &Asker, ground: &mut Ground, year: &str) -> anyhow::Result<Exported> {
    let before = ground.resident_kib("api")?;
    let path = format!("/v1/exports/recoveries.csv?{year}");
    let begun = Instant::now();
    let reading = asker.read_through(&path);
    let mut reading = Box::pin(reading);
    let mut most = before;
    loop {
        tokio::select! {
            read = &mut reading => {
                let (lines, bytes) = read?;
                return Ok(Exported { lines, bytes, took: begun.elapsed(), memory: (before, most) });
            }
            () = tokio::time::sleep(Duration::from_millis(50)) => most = most.max(ground.resident_kib("api")?),
        }
    }
}
