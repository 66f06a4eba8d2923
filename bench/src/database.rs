//! A look into the Postgres that is measured.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio_postgres::{Client, NoTls};

/// What makes a commit durable: with any of them off, a figure would be of another thing.
const DURABLE: [&str; 3] = ["fsync", "synchronous_commit", "full_page_writes"];

/// Counts the mails that a mail server has taken.
pub const SENT: &str = "SELECT count(*) FROM notifications WHERE state IN ('sent', 'delivered')";

/// Without any progress for so long, something is broken.
const STALLED: Duration = Duration::from_secs(45);
/// How many times as long as a look took the next is waited for: it runs on the processors that
/// are measured, and of a hundred thousand rows it takes 40 ms.
const LOOKING: u32 = 30;

/// One connection.
#[derive(Debug)]
pub struct Database(Client);

impl Database {
    /// Connects, and sees to it that commits are durable.
    pub async fn connect(url: &str) -> anyhow::Result<Self> {
        let (client, connection) = tokio_postgres::connect(url, NoTls)
            .await
            .context("the bench's Postgres cannot be reached")?;
        tokio::spawn(connection);
        for setting in DURABLE {
            let row = client.query_one(&format!("SHOW {setting}"), &[]).await?;
            let value: String = row.try_get(0)?;
            ensure!(
                value == "on",
                "{setting} is {value}: the figures would be of no use"
            );
        }
        Ok(Self(client))
    }

    /// The server's version, and the settings that a commit waits for.
    pub async fn described(&self) -> anyhow::Result<String> {
        let row = self.0.query_one("SHOW server_version", &[]).await?;
        let version: String = row.try_get(0)?;
        let settings: Vec<String> = DURABLE.iter().map(|name| format!("{name}=on")).collect();
        Ok(format!("Postgres {version}, {}", settings.join(", ")))
    }

    /// The folder of the server's own programs.
    pub async fn programs(&self) -> anyhow::Result<PathBuf> {
        let query = "SELECT setting FROM pg_config WHERE name = 'BINDIR'";
        let row = self.0.query_one(query, &[]).await?;
        Ok(PathBuf::from(row.try_get::<_, String>(0)?))
    }

    /// Runs statements that answer nothing.
    pub async fn run(&self, statements: &str) -> anyhow::Result<()> {
        Ok(self.0.batch_execute(statements).await?)
    }

    /// The one number that a query answers.
    pub async fn number(&self, query: &str) -> anyhow::Result<u64> {
        let row = self.0.query_one(query, &[]).await?;
        Ok(u64::try_from(row.try_get::<_, i64>(0)?)?)
    }

    /// Looks at a count, with `poll` between two looks, until it is `wanted`; more than that where
    /// looking takes so long that it would be felt. Fails when nothing moves any more, or when
    /// there are more.
    pub async fn until(&self, query: &str, wanted: u64, poll: Duration) -> anyhow::Result<()> {
        let (mut last, mut moved) = (0, Instant::now());
        loop {
            let begun = Instant::now();
            let count = self.number(query).await?;
            if count == wanted {
                return Ok(());
            }
            let looking = begun.elapsed();
            if count != last {
                (last, moved) = (count, Instant::now());
            }
            ensure!(
                count < wanted && moved.elapsed() < STALLED,
                "{count} came of {wanted}, and no more: {query}"
            );
            tokio::time::sleep(poll.max(looking * LOOKING)).await;
        }
    }

    /// Begins to fill it with a year and more of rows: partitions for them, and fewer, longer
    /// checkpoints. Commits stay durable.
    pub async fn fill(&self) -> anyhow::Result<()> {
        self.run("ALTER SYSTEM SET max_wal_size = '6GB'").await?;
        self.run("SELECT pg_reload_conf()").await?;
        let partitions = "SELECT count(*) FROM ensure_partitions(now() - interval '13 months', 13)";
        self.number(partitions).await?;
        Ok(())
    }

    /// Ends what [`Database::fill`] began.
    pub async fn filled(&self) -> anyhow::Result<()> {
        self.run("ALTER SYSTEM RESET max_wal_size").await?;
        self.run("SELECT pg_reload_conf()").await?;
        self.checkpoint().await
    }

    /// The rows of a table.
    pub async fn rows(&self, table: &str) -> anyhow::Result<u64> {
        self.number(&format!("SELECT count(*) FROM {table}")).await
    }

    /// The texts in a query's first column.
    pub async fn texts(&self, query: &str) -> anyhow::Result<Vec<String>> {
        let rows = self.0.query(query, &[]).await?;
        Ok(rows
            .iter()
            .map(|row| row.try_get(0))
            .collect::<Result<_, _>>()?)
    }

    /// Writes what is in memory now, so that no measurement pays for what came before it.
    pub async fn checkpoint(&self) -> anyhow::Result<()> {
        self.run("CHECKPOINT").await
    }
}
