//! The ceiling: pgbench writing the same rows into a second database of the same server.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use devstack::servers::Postgres;
use tokio::process::Command;

use super::rows::Rows;
use super::{CLIENTS, Options};
use crate::database::Database;
use crate::rate::Rate;

const DATABASE: &str = "ceiling";
const SETUP: &str = include_str!("ceiling_setup.sql");
const SCRIPT: &str = include_str!("ceiling.sql");
/// Threads of pgbench.
const JOBS: u32 = 2;

/// How many events a second it writes into a database of its own on `server`. `folder` gets the
/// script; `born` is the time of the first id, see `ceiling.sql`.
pub(super) async fn measure(
    server: &Postgres,
    folder: &Path,
    body: String,
    born: DateTime<Utc>,
    options: Options,
) -> anyhow::Result<Rate> {
    server.ensure_database(DATABASE).await?;
    let url = server.url(DATABASE);
    db::migrate(&url.as_str().into()).await?;
    let database = Database::connect(&url).await?;
    database.run(SETUP).await?;
    let before = Rows::count(&database).await?;
    let script = folder.join("ceiling.sql");
    std::fs::write(&script, SCRIPT)?;
    let pgbench = PgBench {
        program: database.programs().await?.join("pgbench"),
        script: &script,
        url: &url,
        body,
    };
    let warm = pgbench.run(options.warm_up, born).await?;
    database.checkpoint().await?;
    // Ids start where the others end, since ids that grow are the cheaper ones to index.
    let later = born + TimeDelta::milliseconds(i64::try_from(warm.transactions)?);
    let measured = pgbench.run(options.measured, later).await?;
    let after = Rows::count(&database).await?;
    let transactions = warm.transactions + measured.transactions;
    after.since(&before).are_of(transactions, "pgbench")?;
    Ok(measured.rate)
}

struct PgBench<'a> {
    program: PathBuf,
    script: &'a Path,
    url: &'a str,
    body: String,
}

/// What pgbench says at its end.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Finding {
    transactions: u64,
    rate: Rate,
}

impl PgBench<'_> {
    async fn run(&self, time: Duration, born: DateTime<Utc>) -> anyhow::Result<Finding> {
        let define = |name: &str, value: &str| ["-D".to_owned(), format!("{name}={value}")];
        let output = Command::new(&self.program)
            .args(["--no-vacuum", "--protocol=prepared"])
            .arg(format!("--client={CLIENTS}"))
            .arg(format!("--jobs={JOBS}"))
            .arg(format!("--time={}", time.as_secs().max(1)))
            .args(define("tick", "0"))
            .args(define("born", &born.timestamp_millis().to_string()))
            .args(define("body", &self.body))
            .arg("--file")
            .arg(self.script)
            .arg(self.url)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .with_context(|| format!("{} did not start", self.program.display()))?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "pgbench failed: {errors}");
        read(&String::from_utf8_lossy(&output.stdout))
    }
}

fn read(said: &str) -> anyhow::Result<Finding> {
    let after = |label: &str| {
        let found = said.lines().find_map(|line| line.strip_prefix(label));
        let word = found.and_then(|rest| rest.split_whitespace().next());
        word.with_context(|| format!("pgbench did not say {label:?} but:\n{said}"))
    };
    let failed = after("number of failed transactions:")?;
    ensure!(failed == "0", "{failed} of pgbench's transactions failed");
    Ok(Finding {
        transactions: after("number of transactions actually processed:")?.parse()?,
        rate: Rate::measured(after("tps =")?.parse()?),
    })
}

#[cfg(test)]
mod tests {
    use devstack::servers::PostgresOptions;

    use super::*;
    use crate::webhook::Webhooks;

    const SAID: &str = "\
scaling factor: 1
number of transactions actually processed: 4203
number of failed transactions: 0 (0.000%)
latency average = 15.204 ms
initial connection time = 48.881 ms
tps = 2104.640512 (without initial connection time)
";

    #[test]
    fn the_rate_is_read_from_what_pgbench_says() {
        let wanted = Finding {
            transactions: 4_203,
            rate: Rate::measured(2_104.640_512),
        };
        assert_eq!(read(SAID).unwrap(), wanted);
    }

    #[test]
    fn failed_transactions_make_no_ceiling() {
        let failed = SAID.replace("failed transactions: 0", "failed transactions: 7");
        assert!(read(&failed).unwrap_err().to_string().contains("7 of"));
        assert!(read("").is_err());
    }

    #[tokio::test]
    async fn pgbench_writes_the_rows_of_an_event() {
        let folder = tempfile::tempdir().unwrap();
        let server = Postgres::temporary(PostgresOptions::default())
            .await
            .unwrap();
        let born = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let body = Webhooks::new(&"secret".into(), born).body(0);
        let second = Duration::from_secs(1);
        let options = Options {
            connections: 1,
            warm_up: second,
            measured: second,
        };
        // What it wrote is counted in there.
        let ceiling = measure(&server, folder.path(), body, born, options)
            .await
            .unwrap();
        assert!(ceiling > Rate::measured(1.0));
        server.stop().await;
    }
}
