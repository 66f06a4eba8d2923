//! `soak`: half an hour at seven tenths of the highest rate, and whether anything grows meanwhile.
//!
//! Open loop, as `latency`. What is looked at from time to time is what could grow for ever: memory,
//! what waits, the entries of the streams, dead rows. Each is flat if the last third of the run has
//! no more of it than the first third, but for noise.

mod late;
mod look;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use devstack::stack::Replicas;

use crate::database::SENT;
use crate::ground::{Ground, Settings};
use crate::latency::now;
use crate::load::{self, Span};
use crate::rate::{Rate, millis};
use crate::report::{Report, Table};
use crate::webhook::Webhooks;
use late::Late;
use look::{Look, Looker};

const POLL: Duration = Duration::from_millis(200);
/// Of the highest rate, in percent.
const LOAD_PERCENT: u32 = 70;
/// Rows of the table that people see; all samples are in the file.
const ROWS: usize = 12;

/// How much.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How long the rate is kept.
    pub time: Duration,
    /// How often it is looked.
    pub samples: u32,
    /// Webhooks by which the highest rate is found.
    pub flood: u64,
    /// HTTP connections.
    pub connections: usize,
}

/// One moment of the run.
struct Sample {
    at: Duration,
    look: Look,
    late: Late,
}

/// Measures. An error says what makes the figures worth nothing.
pub async fn run(settings: &Settings, options: Options) -> anyhow::Result<Report> {
    let mut ground = Ground::start(settings, Replicas::default(), &[]).await?;
    let server = ground.database.described().await?;
    // One series: payments of the flood are not told of again.
    let webhooks = Arc::new(ground.webhooks(settings.now));
    let highest = highest(&ground, &webhooks, options).await?;
    let per_second = highest.percent_of(LOAD_PERCENT).max(1);
    let samples = steadily(&mut ground, &webhooks, options, per_second).await?;
    ground.stack.stop().await;
    let file = settings.folder.join("soak.csv");
    std::fs::write(&file, csv(&samples)).with_context(|| format!("{}", file.display()))?;
    Ok(report(&server, options, highest, per_second, &samples))
}

/// Closed loop, until the last mail has come.
async fn highest(
    ground: &Ground,
    webhooks: &Arc<Webhooks>,
    options: Options,
) -> anyhow::Result<Rate> {
    let begun = Instant::now();
    let span = Span::Webhooks(options.flood);
    load::send(webhooks, ground.webhook_url(), options.connections, span).await?;
    ground.database.until(SENT, options.flood, POLL).await?;
    Ok(Rate::of(options.flood, begun.elapsed()))
}

/// Keeps the rate, and looks at everything meanwhile.
async fn steadily(
    ground: &mut Ground,
    webhooks: &Arc<Webhooks>,
    options: Options,
    per_second: u32,
) -> anyhow::Result<Vec<Sample>> {
    let every = Duration::from_secs(1) / per_second;
    let count = u64::from(per_second).saturating_mul(options.time.as_secs());
    let url = ground.webhook_url().to_owned();
    let connections = options.connections.min(usize::try_from(per_second)?);
    let mut looker = Looker::new(ground).await?;
    ground.database.checkpoint().await?;
    let (begun_at, begun) = (now(), Instant::now());
    let mut sending = tokio::spawn({
        let webhooks = Arc::clone(webhooks);
        async move { load::send_steadily(&webhooks, &url, connections, every, begun, count).await }
    });
    let pause = options.time / options.samples;
    let mut looks = Vec::new();
    loop {
        tokio::select! {
            sent = &mut sending => {
                sent.context("the load ended early")??;
                break;
            }
            () = tokio::time::sleep(pause) => {
                looks.push((begun.elapsed(), looker.look(ground, webhooks.made()).await?));
            }
        }
    }
    ground
        .database
        .until(SENT, options.flood + count, POLL)
        .await?;
    let run = late::Run {
        begun_at,
        every,
        first: options.flood,
        count,
    };
    let late = late::of_each(ground, webhooks, run, looks.len()).await?;
    let samples = looks.into_iter().zip(late);
    let sample = |((at, look), late)| Sample { at, look, late };
    Ok(samples.map(sample).collect())
}

/// What must not grow, and by how much noise its last third may have more of it than its first.
type Flat = (&'static str, fn(&Sample) -> u64, u64);
const FLAT: [Flat; 7] = [
    ("api_mib", |it| it.look.resident_kib[0] / 1024, 4),
    ("retry_worker_mib", |it| it.look.resident_kib[1] / 1024, 4),
    ("notifier_mib", |it| it.look.resident_kib[2] / 1024, 4),
    ("unsent", |it| it.look.unsent, 200),
    ("stream_entries", |it| it.look.stream_entries, 200),
    ("dead_rows", |it| it.look.dead_rows, 100_000),
    ("p99_ms", |it| it.late.p99 / 1_000, 50),
];

/// The median of a third of the samples: the first (0), or the last (2).
fn third(samples: &[Sample], which: usize, of: fn(&Sample) -> u64) -> u64 {
    let long = samples.len() / 3;
    let mut part: Vec<u64> = samples
        .iter()
        .skip(which * long)
        .take(long)
        .map(of)
        .collect();
    part.sort_unstable();
    part.get(part.len() / 2).copied().unwrap_or(0)
}

fn csv(samples: &[Sample]) -> String {
    let mut lines = vec![
        "seconds,api_kib,retry_worker_kib,notifier_kib,unsent,stream_entries,outbox_rows,dead_rows,tables_mib,\
         p50_ms,p99_ms,p999_ms"
            .to_owned(),
    ];
    for it in samples {
        let [api, retry_worker, notifier] = it.look.resident_kib;
        let look = &it.look;
        lines.push(format!(
            "{},{api},{retry_worker},{notifier},{},{},{},{},{},{},{},{}",
            it.at.as_secs(),
            look.unsent,
            look.stream_entries,
            look.outbox_rows,
            look.dead_rows,
            look.tables_mib,
            millis(it.late.p50),
            millis(it.late.p99),
            millis(it.late.p999),
        ));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn report(
    server: &str,
    options: Options,
    highest: Rate,
    per_second: u32,
    samples: &[Sample],
) -> Report {
    let title = format!(
        "soak: {} s at {per_second} events/s, {LOAD_PERCENT} % of {highest}; {server}",
        options.time.as_secs()
    );
    let columns = [
        "s",
        "api MiB",
        "retry-worker MiB",
        "notifier MiB",
        "unsent",
        "in streams",
        "outbox rows",
        "dead rows",
        "tables MiB",
        "p50 ms",
        "p99 ms",
    ];
    let mut table = Table::new(title, &columns);
    for it in samples.iter().step_by(samples.len().div_ceil(ROWS).max(1)) {
        let [api, retry_worker, notifier] =
            it.look.resident_kib.map(|kib| (kib / 1024).to_string());
        table.row([
            it.at.as_secs().to_string(),
            api,
            retry_worker,
            notifier,
            it.look.unsent.to_string(),
            it.look.stream_entries.to_string(),
            it.look.outbox_rows.to_string(),
            it.look.dead_rows.to_string(),
            it.look.tables_mib.to_string(),
            millis(it.late.p50),
            millis(it.late.p99),
        ]);
    }
    let mut report = Report::new("soak").table(table).figure("per_s", per_second);
    for (name, of, noise) in FLAT {
        let (first, last) = (third(samples, 0, of), third(samples, 2, of));
        report = report.figure(name, format!("{first}..{last}"));
        if last > first + first / 4 + noise {
            report = report.complaint(format!("{name} grew from {first} to {last}"));
        }
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(unsent: &[u64]) -> Vec<Sample> {
        let sample = |unsent: &u64| Sample {
            at: Duration::from_secs(1),
            look: Look {
                unsent: *unsent,
                ..Look::default()
            },
            late: Late::default(),
        };
        unsent.iter().map(sample).collect()
    }

    fn complaints(unsent: &[u64]) -> usize {
        let options = Options {
            time: Duration::from_secs(9),
            samples: 9,
            flood: 1,
            connections: 1,
        };
        let report = report("", options, Rate::measured(10.0), 7, &samples(unsent));
        report.complaints().len()
    }

    #[test]
    fn what_grows_is_complained_of_and_noise_is_not() {
        assert_eq!(complaints(&[10, 900, 20, 10, 30, 10, 40, 30, 800]), 0);
        assert_eq!(complaints(&[10, 90, 20, 500, 600, 700, 800, 900, 950]), 1);
    }
}
