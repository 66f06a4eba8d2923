//! `claim`: due attempts claimed and settled, with few and with many stored ones, against the same
//! updates by hand-written SQL.
//!
//! No service runs: the statements are those of retry-worker, called as it calls them, without the
//! charge or the message between the claim and its end. So what is measured is the scheduler's
//! index, which is to cost as much with ten million attempts that were ever made as with ten thousand.

mod by_hand;
mod stored;
mod tinko;

use std::time::Instant;

use anyhow::ensure;
use devstack::stack::Replicas;
use tokio::task::JoinSet;

use crate::ground::{Ground, Settings};
use crate::rate::{Rate, Ratio, median};
use crate::report::{Report, Table};

/// Attempts of one claim: the places of a retry-worker, by default.
const BATCH: i64 = 64;
/// Workers at the same time.
const WORKERS: [usize; 2] = [1, 4];
/// How much of the hand-written statements' rate is asked for.
const LEAST: Ratio = Ratio::wanted(0.7);
/// How many times as much an attempt may cost among the most stored ones as among the fewest.
const MOST_GROWTH: Ratio = Ratio::wanted(1.3);

/// How much.
#[derive(Debug, Clone)]
pub struct Options {
    /// Attempts that are stored while it is measured, from few to many.
    pub stored: Vec<u64>,
    /// Attempts that are due in each round.
    pub due: u64,
    /// Rounds of each kind; the median counts.
    pub rounds: usize,
}

/// Who claims.
#[derive(Debug, Clone, Copy)]
enum Who {
    Tinko,
    ByHand,
}

/// What was measured with so many attempts stored.
struct Row {
    stored: u64,
    workers: usize,
    tinko: Rate,
    by_hand: Rate,
}

/// Measures. An error says what makes the figures worth nothing.
pub async fn run(settings: &Settings, options: &Options) -> anyhow::Result<Report> {
    // It migrates.
    let api_only = Replicas {
        api: 1,
        retry_worker: 0,
        notifier: 0,
    };
    let mut ground = Ground::start(settings, api_only, &[]).await?;
    ground.stack.terminate("api").await?;
    let server = ground.database.described().await?;
    let mut rows = Vec::new();
    let mut there = 0;
    for stored in &options.stored {
        stored::add(&ground, there..*stored).await?;
        there = *stored;
        for workers in WORKERS {
            rows.push(measure(&ground, options, *stored, workers).await?);
        }
    }
    ground.stack.stop().await;
    Ok(report(&server, options, &rows))
}

/// Both in turn, so that a slow minute of the disk is everybody's.
async fn measure(
    ground: &Ground,
    options: &Options,
    stored: u64,
    workers: usize,
) -> anyhow::Result<Row> {
    let (mut tinko, mut by_hand) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        tinko.push(round(ground, options.due, workers, Who::Tinko).await?);
        by_hand.push(round(ground, options.due, workers, Who::ByHand).await?);
    }
    Ok(Row {
        stored,
        workers,
        tinko: median(tinko),
        by_hand: median(by_hand),
    })
}

/// How many attempts a second are claimed and settled until none is due.
async fn round(ground: &Ground, due: u64, workers: usize, who: Who) -> anyhow::Result<Rate> {
    stored::make_due(ground, due).await?;
    let url = ground.stack.postgres_url.clone();
    let mut connected = Vec::new();
    let mut by_hand = Vec::new();
    for _ in 0..workers {
        match who {
            Who::Tinko => connected.push(tinko::Worker::start(&url).await?),
            Who::ByHand => by_hand.push(by_hand::Worker::start(&url).await?),
        }
    }
    let begun = Instant::now();
    let mut working = JoinSet::new();
    for worker in connected {
        working.spawn(worker.work());
    }
    for worker in by_hand {
        working.spawn(worker.work());
    }
    let mut settled = 0;
    while let Some(worked) = working.join_next().await {
        settled += worked??;
    }
    let time = begun.elapsed();
    ensure!(settled == due, "{settled} attempts were settled, of {due}");
    stored::are_settled(ground).await?;
    Ok(Rate::of(due, time))
}

fn report(server: &str, options: &Options, rows: &[Row]) -> Report {
    let title = format!(
        "claim: {} due attempts in each of {} rounds, claimed {BATCH} at a time; {server}",
        options.due, options.rounds
    );
    let columns = [
        "stored attempts",
        "workers",
        "claimed and settled/s",
        "by hand/s",
        "ratio",
    ];
    let mut table = Table::new(title, &columns);
    for row in rows {
        table.row([
            row.stored.to_string(),
            row.workers.to_string(),
            row.tinko.to_string(),
            row.by_hand.to_string(),
            row.tinko.ratio_to(row.by_hand).to_string(),
        ]);
    }
    let least = rows.iter().map(|row| row.tinko.ratio_to(row.by_hand));
    let least = least.min_by(Ratio::total_cmp).unwrap_or(Ratio::wanted(0.0));
    let growth = growth(rows);
    let mut report = Report::new("claim")
        .table(table)
        .figure("least_ratio", least)
        .figure("growth", growth)
        .floor("the hand-written statements", least, LEAST);
    if growth > MOST_GROWTH {
        report = report.complaint(format!(
            "an attempt costs {growth} times as much among the most stored ones, and may cost {MOST_GROWTH} times"
        ));
    }
    report
}

/// What an attempt costs one worker among the most stored ones, over what it costs among the fewest.
fn growth(rows: &[Row]) -> Ratio {
    let alone = || rows.iter().filter(|row| row.workers == 1);
    let (Some(few), Some(many)) = (alone().next(), alone().next_back()) else {
        return Ratio::wanted(1.0);
    };
    few.tinko.ratio_to(many.tinko)
}
