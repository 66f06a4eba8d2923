//! `fairness`: how soon ten messages of one organization are sent while another's flood is ahead.
//!
//! The flood's attempts are due and wait in Postgres when retry-worker and notifier start. The ten
//! come twice: with the flood, and once as many of it are with the notifier as will be. They have to
//! be accepted by the sandbox's mail server.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use devstack::stack::Replicas;

use crate::ground::{Ground, Settings};
use crate::rate::Rate;
use crate::report::{Report, Table};

const SEED: &str = include_str!("seed.sql");
const RETRY_WORKER: &str = "retry-worker";
const NOTIFIER: &str = "notifier";
/// Messages of the organization that is not to wait.
const FEW: u64 = 10;
/// What they may take (issue 6).
const SOON: Duration = Duration::from_secs(5);
/// What nobody waits for.
const NEVER: Duration = Duration::from_mins(3);
/// How long the flood runs before the second ten come.
const IN_FLOOD: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(50);

/// How much.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Messages of the organization that floods.
    pub flood: u64,
}

/// One ten: when they came, how long they took, and what of the flood was sent meanwhile.
struct Ten {
    when: &'static str,
    took: Duration,
    flood: u64,
}

/// Measures. An error says what makes the figures worth nothing.
pub async fn run(settings: &Settings, options: Options) -> anyhow::Result<Report> {
    let mut ground = Ground::start(settings, Replicas::default(), &[]).await?;
    let server = ground.database.described().await?;
    ground.stack.terminate(RETRY_WORKER).await?;
    ground.stack.terminate(NOTIFIER).await?;
    let (busy, quiet) = organizations(&ground).await?;
    seed(&ground, &busy, "flood", options.flood, settings.now).await?;
    seed(&ground, &quiet, "first", FEW, settings.now).await?;
    ground.database.run("ANALYZE").await?;
    ground.database.checkpoint().await?;
    let begun = Instant::now();
    ground.stack.restart(NOTIFIER).await?;
    ground.stack.restart(RETRY_WORKER).await?;
    let mut tens = vec![ten(&ground, &busy, "first", "when the services start", begun).await?];
    tokio::time::sleep(IN_FLOOD).await;
    let passed = TimeDelta::from_std(begun.elapsed())?;
    seed(&ground, &quiet, "later", FEW, settings.now + passed).await?;
    tens.push(ten(&ground, &busy, "later", "in the flood", Instant::now()).await?);
    let left = options.flood.saturating_sub(sent(&ground, "flood").await?);
    ensure!(left > 0, "the flood was over: it was none");
    let time = begun.elapsed();
    ground.stack.stop().await;
    Ok(report(
        &server,
        options,
        &tens,
        Rate::of(options.flood - left, time),
        left,
    ))
}

/// The stack's organization, and another with the same policy.
async fn organizations(ground: &Ground) -> anyhow::Result<(String, String)> {
    let database = &ground.database;
    let busy = database.texts("SELECT id::text FROM organizations").await?;
    let busy = busy
        .first()
        .context("the stack has no organization")?
        .clone();
    let quiet = "INSERT INTO organizations (id, name, slug, created_at)
                 VALUES (gen_random_uuid(), 'Quiet', 'quiet', now()) RETURNING id::text";
    let quiet = database.texts(quiet).await?;
    let quiet = quiet.first().context("no organization was made")?.clone();
    let policy = format!(
        "INSERT INTO retry_policies (id, organization_id, version, name, document, is_active, created_at)
         SELECT gen_random_uuid(), '{quiet}', version, name, document, is_active, created_at
         FROM retry_policies WHERE organization_id = '{busy}' AND is_active"
    );
    database.run(&policy).await?;
    Ok((busy, quiet))
}

async fn seed(
    ground: &Ground,
    organization: &str,
    word: &str,
    number: u64,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let statement = SEED
        .replace("{organization}", organization)
        .replace("{word}", word)
        .replace("{number}", &number.to_string())
        .replace("{now}", &format!("'{}'::timestamptz", now.to_rfc3339()));
    ground.database.run(&statement).await
}

/// How many of those messages the mail server has taken.
async fn sent(ground: &Ground, word: &str) -> anyhow::Result<u64> {
    let sent = format!(
        "SELECT count(*) FROM notifications WHERE state IN ('sent', 'delivered') AND address LIKE '{word}-%'"
    );
    ground.database.number(&sent).await
}

async fn ten(
    ground: &Ground,
    busy: &str,
    word: &str,
    when: &'static str,
    begun: Instant,
) -> anyhow::Result<Ten> {
    let of_flood = format!(
        "SELECT count(*) FROM notifications WHERE organization_id = '{busy}' AND state IN ('sent', 'delivered')"
    );
    let before = ground.database.number(&of_flood).await?;
    loop {
        let count = sent(ground, word).await?;
        ensure!(count <= FEW, "{count} messages were sent for {FEW}");
        if count == FEW {
            break;
        }
        ensure!(
            begun.elapsed() < NEVER,
            "{count} of {FEW} were sent in {NEVER:?}"
        );
        tokio::time::sleep(POLL).await;
    }
    Ok(Ten {
        when,
        took: begun.elapsed(),
        flood: ground.database.number(&of_flood).await? - before,
    })
}

fn report(server: &str, options: Options, tens: &[Ten], rate: Rate, left: u64) -> Report {
    let title = format!(
        "fairness: {FEW} messages of one organization, {} of another's ahead; {server}",
        options.flood
    );
    let mut table = Table::new(
        title,
        &["they come", "all sent, s", "of the flood meanwhile"],
    );
    let mut slowest = Duration::ZERO;
    for ten in tens {
        let seconds = format!("{:.2}", ten.took.as_secs_f64());
        table.row([ten.when.to_owned(), seconds, ten.flood.to_string()]);
        slowest = slowest.max(ten.took);
    }
    let report = Report::new("fairness")
        .table(table)
        .figure("flood", options.flood)
        .figure("flood_left", left)
        .figure("flood_per_s", rate)
        .figure("slowest_ten_s", format!("{:.2}", slowest.as_secs_f64()));
    if slowest < SOON {
        return report;
    }
    report.complaint(format!(
        "{FEW} messages took {slowest:?}, and {SOON:?} is what they may"
    ))
}
