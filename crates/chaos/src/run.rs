//! A run, from its beginning to its last line.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tokio::time::{Instant, sleep};

use crate::faults::{self, Kind};
use crate::ground::Ground;
use crate::journal::Journal;
use crate::load::{Case, Cases, Dose, Load};
pub use crate::options::{Options, Pace, Scenario};
use crate::oracle::{self, Evidence, Facts, Violation};
use crate::report::{Report, Timing};
use crate::rolling::{self, Versions};
use crate::sink::Sink;

/// How long the load runs before anything is done to the system.
const WARM_UP: Duration = Duration::from_secs(8);
/// Between two looks for a promise that is broken for good.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long a payer may go on after the load's end.
const PAYERS_END_WITHIN: Duration = Duration::from_mins(2);
/// The promise: a Redis that was flushed delays work by no more.
const FLUSHED_WITHIN: Duration = Duration::from_mins(1);

/// Runs; answers whether every promise was kept.
pub async fn run(options: Options) -> anyhow::Result<bool> {
    let asks_in_vain = options.faults.contains(&Kind::Pgbouncer) && !options.through_pgbouncer;
    ensure!(
        !asks_in_vain,
        "a PgBouncer can only be killed --through-pgbouncer"
    );
    let seed = options
        .seed
        .unwrap_or_else(|| u64::from(rand::random::<u32>()));
    let span = options.span();
    say(&format!(
        "seed {seed}, {} s of load at {} cases a second",
        span.as_secs(),
        options.rate
    ));
    let folder = new_folder(&options.dir, seed)?;
    let journal = Arc::new(Journal::begin(&folder)?);
    let first = options.old_binaries()?.unwrap_or(options.binaries()?);
    let ground = Box::pin(Ground::start(&folder, first, &options.wish())).await?;
    let sink = Sink::start(ground.servers.amqp_url()).await?;
    let played = play(&options, seed, &ground, &journal, &sink).await;
    let violations = match played {
        Ok(report) => {
            print(&report.to_string());
            let all = report.violations.iter().map(|it| format!("{it}\n"));
            std::fs::write(folder.join("violations"), all.collect::<String>())?;
            report.violations.len()
        }
        // Without a verdict there is no promise that is known to be kept.
        Err(error) => {
            say(&format!("the run broke off: {error:?}"));
            1
        }
    };
    let is_kept = options.keep || (violations > 0 && !options.discard);
    drop(sink);
    match Arc::into_inner(ground) {
        Some(ground) => ground.stop().await,
        None => say("something of the run still goes on"),
    }
    if is_kept {
        say(&format!("logs and journal are in {}", folder.display()));
    } else {
        remove(&folder)?;
    }
    print(&format!("chaos: {violations} violations, seed {seed}"));
    Ok(violations == 0)
}

async fn play(
    options: &Options,
    seed: u64,
    ground: &Arc<Ground>,
    journal: &Arc<Journal>,
    sink: &Sink,
) -> anyhow::Result<Report> {
    let dose = Dose {
        per_second: options.rate,
        is_strict: options.scenario == Scenario::Rolling,
    };
    let load = Load::new(Arc::clone(ground), Arc::clone(journal), seed, dose);
    for rule in &options.rule {
        ground.sandbox.put("faults", rule).await?;
    }
    let Some(promise) = options.until.as_deref() else {
        return whole(options, seed, ground, journal, sink, load).await;
    };
    let cases = load.cases();
    let (breached, whole) = (
        breached(promise, ground, journal, sink, &cases),
        whole(options, seed, ground, journal, sink, load),
    );
    tokio::select! {
        report = whole => report,
        report = breached => {
            faults::undo_all(ground).await?;
            report
        }
    }
}

/// Ends once a promise that no calm can mend is broken.
async fn breached(
    promise: &str,
    ground: &Ground,
    journal: &Journal,
    sink: &Sink,
    cases: &Cases,
) -> anyhow::Result<Report> {
    loop {
        sleep(LOOK_EVERY).await;
        let (cases, entries) = (cases.all(), journal.entries());
        // While a server is down there is nothing to be seen.
        let Ok(facts) = facts(ground, &cases).await else {
            continue;
        };
        let evidence = Evidence::new(&facts, &cases, &entries);
        let violations = oracle::beyond_repair(&evidence);
        if violations.iter().any(|it| it.promise == promise) {
            let timing = Timing::default();
            return Ok(Report::new(
                &evidence,
                &ground.partner,
                sink,
                timing,
                violations,
            ));
        }
    }
}

/// All of the load, its harm, and the calm after it.
async fn whole(
    options: &Options,
    seed: u64,
    ground: &Arc<Ground>,
    journal: &Arc<Journal>,
    sink: &Sink,
    mut load: Load,
) -> anyhow::Result<Report> {
    let span = options.span();
    let (flushed, ()) = tokio::join!(harm(options, seed, ground, journal), load.run(span));
    let flushed = flushed?;
    faults::undo_all(ground).await?;
    say("the load has ended; waiting for payers and for calm");
    let patience = Duration::from_secs(options.patience);
    let ended = Instant::now();
    let remaining = load.ended(PAYERS_END_WITHIN.min(patience)).await;
    // What may take half a minute is lost long before payers have waited in vain for it.
    let spent = match options.pace {
        Pace::Brisk => ended.elapsed(),
        Pace::Usual => Duration::ZERO,
    };
    let (calm, mut violations) = oracle::settle(ground, patience.saturating_sub(spent)).await?;
    if remaining > 0 {
        violations.push(Violation::new(
            "payers and merchants come to an end",
            remaining.to_string(),
        ));
    }
    violations.extend(
        flushed
            .iter()
            .filter(|took| **took > FLUSHED_WITHIN)
            .map(|took| {
                let what = format!("it took {} s", took.as_secs());
                Violation::new("a flushed Redis delays by a minute at most", what)
            }),
    );
    if options.scenario == Scenario::Rolling {
        violations.extend(rolling::refused_webhooks(ground).await?);
    }
    sink.drained().await;
    let (cases, entries) = (load.cases().all(), journal.entries());
    let facts = facts(ground, &cases).await?;
    let evidence = Evidence::new(&facts, &cases, &entries);
    violations.extend(oracle::judge(ground, sink, &evidence).await?);
    let timing = Timing { flushed, calm };
    Ok(Report::new(
        &evidence,
        &ground.partner,
        sink,
        timing,
        violations,
    ))
}

async fn facts(ground: &Ground, cases: &[Case]) -> anyhow::Result<Facts> {
    let payments = cases.iter().filter_map(|case| {
        let payment = case.payment.clone()?;
        Some((payment, case.reference.clone()))
    });
    let client = ground.servers.connect().await?;
    oracle::gather(&client, &ground.sandbox, &payments.collect()).await
}

/// Does the scenario's harm; answers how long each measured FLUSHALL was felt.
async fn harm(
    options: &Options,
    seed: u64,
    ground: &Arc<Ground>,
    journal: &Arc<Journal>,
) -> anyhow::Result<Vec<Duration>> {
    let begun = Instant::now();
    let span = options.span();
    let mut flushed = Vec::new();
    match options.scenario {
        Scenario::Calm => {}
        Scenario::Rolling => {
            let versions = Versions::new(options.binaries()?, options.old_binaries()?);
            rolling::roll(ground, journal, versions, span).await?;
        }
        Scenario::Flushall => {
            sleep(WARM_UP).await;
            while begun.elapsed() < span {
                flushed.push(flush(ground).await?);
                sleep(Duration::from_secs(2)).await;
            }
        }
        Scenario::Mixed => {
            sleep(WARM_UP).await;
            if options.faults.is_empty() {
                flushed.push(flush(ground).await?);
            }
            let left = span.saturating_sub(begun.elapsed());
            faults::play(ground, journal, faults::plan(seed, left, &options.kinds())).await;
        }
    }
    Ok(flushed)
}

/// FLUSHALL under load, and how long it takes until all that was owed before has had its effect.
async fn flush(ground: &Ground) -> anyhow::Result<Duration> {
    let client = ground.servers.connect().await?;
    let row = client.query_one("SELECT now()::text", &[]).await?;
    let before: String = row.try_get(0)?;
    ground.servers.tell_redis(&["FLUSHALL"]).await?;
    let begun = Instant::now();
    let owed = "SELECT count(*) FROM outbox WHERE dead_at IS NULL AND created_at <= ($1::text)::timestamptz";
    while begun.elapsed() < FLUSHED_WITHIN * 2 {
        let left: i64 = client.query_one(owed, &[&before]).await?.try_get(0)?;
        if left == 0 {
            break;
        }
        sleep(Duration::from_millis(100)).await;
    }
    let took = begun.elapsed();
    say(&format!(
        "FLUSHALL was felt for {:.1} s",
        took.as_secs_f64()
    ));
    Ok(took)
}

fn new_folder(dir: &Path, seed: u64) -> anyhow::Result<PathBuf> {
    let dir = std::path::absolute(dir)?;
    let folder = dir.join(format!("{seed}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).with_context(|| format!("{}", folder.display()))?;
    Ok(folder)
}

/// The servers' own folders may be links to where their accounts can reach them.
fn remove(folder: &Path) -> std::io::Result<()> {
    for server in ["postgres", "pgbouncer", "redis", "rabbitmq"] {
        devstack::servers::Home::remove(&folder.join(server))?;
    }
    std::fs::remove_dir_all(folder)
}

/// Tells how the run goes, beside its answer.
fn say(line: &str) {
    eprintln!("chaos: {line}");
}

#[expect(clippy::print_stdout, reason = "the program's answer")]
fn print(text: &str) {
    println!("{text}");
}
