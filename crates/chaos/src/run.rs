//! A run, from its beginning to its last line.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::{Parser, ValueEnum};
use devstack::Binaries;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::faults::{self, Kind};
use crate::ground::{Ground, Wish};
use crate::journal::Journal;
use crate::load::{Case, Dose, Load};
use crate::oracle::{self, Evidence, Facts, Violation};
use crate::report::{Report, Timing};
use crate::rolling::{self, Versions};
use crate::sink::Sink;

/// How long the load runs before anything is done to the system.
const WARM_UP: Duration = Duration::from_secs(8);
/// How long a payer may go on after the load's end.
const PAYERS_END_WITHIN: Duration = Duration::from_mins(2);
/// The promise: a Redis that was flushed delays work by no more.
const FLUSHED_WITHIN: Duration = Duration::from_mins(1);

/// What is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// A FLUSHALL that is measured, then faults of all kinds.
    Mixed,
    /// FLUSHALL alone, again and again, each measured.
    Flushall,
    /// No fault at all.
    Calm,
    /// Every replica is replaced after the other, and no request may fail.
    Rolling,
}

/// Runs real processes under load and trouble, and says which promises were not kept.
#[derive(Debug, Clone, Parser)]
#[command(name = "tinko-chaos", version)]
pub struct Options {
    /// Minutes of load and faults.
    #[arg(long, conflicts_with = "seconds")]
    minutes: Option<u64>,
    /// Seconds of load and faults; 60 when neither is said.
    #[arg(long)]
    seconds: Option<u64>,
    /// What all randomness comes from; one of its own when it is not said.
    #[arg(long)]
    seed: Option<u64>,
    /// Cases a second.
    #[arg(long, default_value_t = 2.0)]
    rate: f64,
    /// What is played.
    #[arg(long, value_enum, default_value = "mixed")]
    scenario: Scenario,
    /// Only faults of these kinds, after commas.
    #[arg(long, value_enum, value_delimiter = ',')]
    faults: Vec<Kind>,
    /// Services reach Postgres through a PgBouncer in transaction mode.
    #[arg(long)]
    through_pgbouncer: bool,
    /// The folder of the programs; that of this program when it is not said.
    #[arg(long)]
    bin_dir: Option<PathBuf>,
    /// Programs of another version, side by side with these in the scenario `rolling`: it begins
    /// with them.
    #[arg(long)]
    old_bin_dir: Option<PathBuf>,
    /// Gets the run's folder, with logs and journal; it is kept when a promise was not.
    #[arg(long, default_value = "target/chaos")]
    dir: PathBuf,
    /// Seconds of calm after which what is still owed counts as lost.
    #[arg(long, default_value_t = 150)]
    patience: u64,
    /// Keeps the folder in any case.
    #[arg(long)]
    keep: bool,
    /// Removes the folder in any case.
    #[arg(long, conflicts_with = "keep")]
    discard: bool,
    /// A rule of the sandbox's faults that holds from the beginning to the end of the load, as JSON.
    #[arg(long, value_parser = rule)]
    rule: Vec<Value>,
    /// NAME=VALUE for the environment of every service.
    #[arg(long, value_parser = variable)]
    env: Vec<(String, String)>,
}

impl Options {
    fn span(&self) -> Duration {
        match (self.minutes, self.seconds) {
            (Some(minutes), _) => Duration::from_mins(minutes),
            (None, seconds) => Duration::from_secs(seconds.unwrap_or(60)),
        }
    }

    fn wish(&self) -> Wish {
        Wish {
            through_pgbouncer: self.through_pgbouncer,
            env: self.env.clone(),
        }
    }

    /// What is wanted, or all that there can be.
    fn kinds(&self) -> Vec<Kind> {
        if self.faults.is_empty() {
            faults::kinds(self.through_pgbouncer)
        } else {
            self.faults.clone()
        }
    }

    fn old_binaries(&self) -> anyhow::Result<Option<Binaries>> {
        let folder = self.old_bin_dir.as_deref();
        Ok(folder.map(Binaries::in_folder).transpose()?)
    }

    fn binaries(&self) -> anyhow::Result<Binaries> {
        Ok(match &self.bin_dir {
            Some(folder) => Binaries::in_folder(folder)?,
            None => Binaries::find()?,
        })
    }
}

fn rule(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn variable(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("is not NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

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
    let mut load = Load::new(Arc::clone(ground), Arc::clone(journal), seed, dose);
    for rule in &options.rule {
        ground.sandbox.put("faults", rule).await?;
    }
    let span = options.span();
    let (flushed, ()) = tokio::join!(harm(options, seed, ground, journal), load.run(span));
    let flushed = flushed?;
    faults::undo_all(ground).await?;
    say("the load has ended; waiting for payers and for calm");
    let patience = Duration::from_secs(options.patience);
    let remaining = load.ended(PAYERS_END_WITHIN.min(patience)).await;
    let (calm, mut violations) = oracle::settle(ground, patience).await?;
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
    let (cases, entries) = (load.cases(), journal.entries());
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
