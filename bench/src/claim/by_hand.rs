//! The same updates, by the shortest statements that do them: what Postgres does at best.
//!
//! An attempt is settled in a transaction, since it never is alone: what came of it goes with it.

use anyhow::ensure;
use tokio_postgres::{Client, NoTls, Statement};

use super::BATCH;

/// Whoever is due longest, of whichever organization.
const CLAIM: &str = "UPDATE attempts
    SET state = 'claimed', claimed_by = gen_random_uuid(), lease_until = now() + interval '1 minute',
        claims = claims + 1, updated_at = now()
    WHERE id = ANY (ARRAY (
      SELECT id FROM attempts WHERE state = 'scheduled' AND due_at <= now()
      ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED))
    RETURNING id::text";
const SETTLE: &str = "UPDATE attempts
    SET state = 'succeeded', claimed_by = NULL, lease_until = NULL,
        outcome = 'Asked for a message by email', updated_at = now()
    WHERE id = $1::text::uuid AND state = 'claimed'";

/// One that works one attempt after the other, over one connection.
pub(super) struct Worker {
    client: Client,
    claim: Statement,
    settle: Statement,
}

impl Worker {
    pub(super) async fn start(url: &str) -> anyhow::Result<Self> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection);
        let claim = client.prepare(CLAIM).await?;
        let settle = client.prepare(SETTLE).await?;
        Ok(Self {
            client,
            claim,
            settle,
        })
    }

    /// Works until nothing is due; answers how many it settled.
    pub(super) async fn work(self) -> anyhow::Result<u64> {
        let mut settled = 0;
        loop {
            let claimed = self.client.query(&self.claim, &[&BATCH]).await?;
            if claimed.is_empty() {
                return Ok(settled);
            }
            for row in claimed {
                let id: String = row.try_get(0)?;
                self.client.batch_execute("BEGIN").await?;
                let moved = self.client.execute(&self.settle, &[&id]).await?;
                ensure!(moved == 1, "{id} was settled by somebody else");
                self.client.batch_execute("COMMIT").await?;
                settled += 1;
            }
        }
    }
}
