//! Somebody's transaction holds a lock that every report needs.

use anyhow::{Context as _, bail};
use tokio_postgres::Client;

use super::{Act, Drill, Following};
use crate::ground::Ground;
use crate::prometheus::Wanted;

#[derive(Default)]
pub(super) struct LongTransaction {
    /// Whose it is.
    holder: Option<Client>,
}

impl Drill for LongTransaction {
    fn name(&self) -> &'static str {
        "long-transaction"
    }

    fn about(&self) -> &'static str {
        "a forgotten transaction locks the table of transactions"
    }

    fn alert(&self) -> Wanted {
        Wanted {
            alert: "TinkoDatabasePoolWaits",
            labels: &[("job", "api")],
        }
    }

    fn cause<'a>(&'a mut self, ground: &'a mut Ground) -> Act<'a> {
        Box::pin(async {
            let client = ground.postgres().await?;
            let lock = "BEGIN; LOCK TABLE transactions IN ACCESS EXCLUSIVE MODE";
            client.batch_execute(lock).await?;
            self.holder = Some(client);
            Ok(())
        })
    }

    fn follow<'a>(&'a mut self, ground: &'a mut Ground, runbook: &'a Following) -> Act<'a> {
        Box::pin(async {
            runbook.sql(1, &[]).await?;
            // Its second statement lists the old transactions; of those the holder is idle in its own.
            let client = ground.postgres().await?;
            let idle = "SELECT pid FROM pg_stat_activity WHERE state = 'idle in transaction'
                 AND xact_start < now() - interval '10 seconds' ORDER BY xact_start LIMIT 1";
            let pid: i32 = client
                .query_opt(idle, &[])
                .await?
                .context("an old transaction")?
                .get(0);
            let end = runbook.page.command("SELECT pg_terminate_backend(pid)")?;
            runbook
                .shell
                .sql(&end, &[("(pid)", &format!("({pid})"))])
                .await?;
            let holder = self.holder.take().context("the holder")?;
            if holder.batch_execute("SELECT 1").await.is_ok() {
                bail!("the transaction's connection still answers");
            }
            Ok(())
        })
    }

    fn over(&self) -> &'static [&'static str] {
        &["max(attempts_oldest_due_seconds) < 10"]
    }
}
