//! A row does not read: a newer build wrote it, and was rolled back.

use std::time::Duration;

use anyhow::Context as _;
use nix::sys::signal::Signal;
use redis::aio::MultiplexedConnection;

use super::{Act, Drill, Following};
use crate::ground::Ground;
use crate::prometheus::Wanted;
use crate::wait::{Look, until};

const STREAM: &str = "tinko:failures";
const GROUP: &str = "retry-worker";
/// Deliveries that an entry gets before it is given up, but for the last.
const ALL_BUT_ONE: u64 = 9;
/// Longer than the rest after any delivery.
const RESTED_MS: u64 = 600_000;
/// How long each thing that is waited for may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// An entry of a stream that is being worked on: its id, whose it is, for how many milliseconds,
/// and how often it was delivered.
type Pending = (String, String, u64, u64);

#[derive(Default)]
pub(super) struct DeadLetter {
    /// The recovery whose row does not read, and what its category was.
    spoilt: Option<(String, String)>,
}

impl Drill for DeadLetter {
    fn name(&self) -> &'static str {
        "dead-letter"
    }

    fn about(&self) -> &'static str {
        "a newer build, rolled back since, wrote a category that this one cannot read"
    }

    fn alert(&self) -> Wanted {
        Wanted {
            alert: "TinkoDeadLetters",
            labels: &[],
        }
    }

    /// With the planner held still, so that it meets the row as it is afterwards.
    fn cause<'a>(&'a mut self, ground: &'a mut Ground) -> Act<'a> {
        Box::pin(async {
            let client = ground.postgres().await?;
            let mut conn = ground.redis().await?;
            let planner = ground.stack.process("retry-worker")?;
            planner.signal(Signal::SIGSTOP);
            let spoilt = spoil_a_new_one(&client).await;
            planner.signal(Signal::SIGCONT);
            self.spoilt = Some(spoilt?);
            skip_to_the_last_delivery(&mut conn).await
        })
    }

    fn follow<'a>(&'a mut self, ground: &'a mut Ground, runbook: &'a Following) -> Act<'a> {
        Box::pin(async {
            let listed = runbook
                .command("tinkoctl dead-letters list --limit", &[])
                .await?;
            let letter = listed
                .split_whitespace()
                .find(|word| word.starts_with("obx_"));
            let letter = letter.context("a dead letter in the list")?;
            let values = [("obx_…", letter)];
            runbook
                .command("tinkoctl dead-letters show", &values)
                .await?;
            runbook.sql(1, &[]).await?;
            // "Mend the cause: … a row that does not read".
            let (recovery, category) = self.spoilt.take().context("what was spoilt")?;
            let client = ground.postgres().await?;
            let mend = "UPDATE recoveries SET category = $2 WHERE id::text = $1";
            client.execute(mend, &[&recovery, &category]).await?;
            runbook
                .command("tinkoctl dead-letters replay 'obx_…'", &values)
                .await?;
            until_planned(&client, &recovery).await
        })
    }

    fn over(&self) -> &'static [&'static str] {
        &["max(outbox_dead) == 0"]
    }
}

/// Spoils the first recovery that is opened from now on.
async fn spoil_a_new_one(client: &tokio_postgres::Client) -> anyhow::Result<(String, String)> {
    let newest = "SELECT coalesce(max(id::text), '') FROM recoveries";
    let newest: String = client.query_one(newest, &[]).await?.get(0);
    let next = "SELECT id::text, category FROM recoveries WHERE id::text > $1 ORDER BY id LIMIT 1";
    let row = until(PATIENCE, async || {
        let row = client.query_opt(next, &[&newest]).await?;
        Ok(Look::of(row, || "no recovery is opened".to_owned()))
    })
    .await?;
    let (id, category): (String, String) = (row.get(0), row.get(1));
    let spoil = "UPDATE recoveries SET category = 'of_a_newer_build' WHERE id::text = $1";
    client.execute(spoil, &[&id]).await?;
    Ok((id, category))
}

/// Waits until the entry has failed, and has Redis count it as delivered nine times: the tenth
/// delivery, after which it is given up, comes at once instead of in two and a half minutes. Where
/// the planner has just failed at it, it says otherwise itself, so it is said until the entry is gone.
async fn skip_to_the_last_delivery(conn: &mut MultiplexedConnection) -> anyhow::Result<()> {
    let mut was_seen = false;
    until(PATIENCE, async || {
        let mut pending = redis::cmd("XPENDING");
        pending.arg(STREAM).arg(GROUP).arg("-").arg("+").arg(100);
        let pending: Vec<Pending> = pending.query_async(conn).await?;
        // What was delivered again failed before.
        let failing = pending.iter().find(|(_, _, _, deliveries)| *deliveries > 1);
        match failing {
            Some((id, consumer, _, deliveries)) if *deliveries < ALL_BUT_ONE => {
                let mut claim = redis::cmd("XCLAIM");
                claim.arg(STREAM).arg(GROUP).arg(consumer).arg(0).arg(id);
                claim
                    .arg("IDLE")
                    .arg(RESTED_MS)
                    .arg("RETRYCOUNT")
                    .arg(ALL_BUT_ONE);
                let _: redis::Value = claim.arg("JUSTID").query_async(conn).await?;
                was_seen = true;
            }
            None if was_seen => return Ok(Look::Found(())),
            _ => {}
        }
        let missing = "no entry fails until it is given up";
        Ok(Look::NotYet(missing.to_owned()))
    })
    .await
}

/// Waits until the effect that was owed is there: the recovery has a plan.
async fn until_planned(client: &tokio_postgres::Client, recovery: &str) -> anyhow::Result<()> {
    let attempt = "SELECT 1 FROM attempts WHERE recovery_id::text = $1 LIMIT 1";
    until(PATIENCE, async || {
        let row = client.query_opt(attempt, &[&recovery]).await?;
        Ok(Look::of(row.map(drop), || {
            format!("the letter was replayed, and recovery {recovery} has no plan")
        }))
    })
    .await
}
