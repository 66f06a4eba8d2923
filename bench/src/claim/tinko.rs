//! Claiming and settling as retry-worker does.

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use chrono::{DateTime, TimeDelta, Utc};
use db::attempts::{self, Claim, Outcome, StoredAttempt, UnderWay};
use db::{Cause, Db, DbConfig, LeaveToSweeper};
use domain::AttemptState;
use domain::id::AttemptId;
use uuid::Uuid;

use super::BATCH;

/// How long a claim is believed; the default of retry-worker.
const LEASE: TimeDelta = TimeDelta::seconds(60);
/// Most of one organization in a claim, of which there are more than places.
const OF_ONE: i64 = 2;

/// One that works one attempt after the other, over one connection.
pub(super) struct Worker {
    db: Db,
    id: Uuid,
    /// The organization that was served last.
    after: Uuid,
}

impl Worker {
    pub(super) async fn start(url: &str) -> anyhow::Result<Self> {
        let config = DbConfig {
            url: url.to_owned().into(),
            max_connections: 1,
            acquire_timeout: Duration::from_secs(10),
        };
        let db = Db::new(&config, Arc::new(LeaveToSweeper));
        // Connected before the clock starts.
        drop(db.read().await?);
        let id = AttemptId::new(now(), &mut db.fork_rng()).uuid();
        Ok(Self {
            db,
            id,
            after: Uuid::nil(),
        })
    }

    /// Works until nothing is due; answers how many it settled.
    pub(super) async fn work(mut self) -> anyhow::Result<u64> {
        let mut settled = 0;
        loop {
            let claimed = self.claim().await?;
            if claimed.is_empty() && self.after.is_nil() {
                return Ok(settled);
            }
            // As the scheduler does: where not all places were taken, all were asked.
            let all_asked = claimed.len() < usize::try_from(BATCH)?;
            let last = claimed.iter().map(|it| it.tenant.organization().uuid());
            self.after = last.max().filter(|_| !all_asked).unwrap_or_default();
            for attempt in &claimed {
                self.settle(attempt).await?;
                settled += 1;
            }
        }
    }

    async fn claim(&self) -> anyhow::Result<Vec<StoredAttempt>> {
        let now = now();
        let claim = Claim {
            worker: self.id,
            now,
            lease_until: now + LEASE,
            after: self.after,
            per_organization: OF_ONE,
            limit: BATCH,
            under_way: UnderWay::default(),
        };
        let mut conn = self.db.read().await?;
        Ok(attempts::claim_due(&mut conn, &claim).await?)
    }

    async fn settle(&self, attempt: &StoredAttempt) -> anyhow::Result<()> {
        let cause = Cause {
            at: now(),
            actor: "retry-worker".to_owned(),
            traceparent: None,
            tracestate: None,
        };
        let mut tx = self.db.begin(cause).await?;
        let next = AttemptState::Succeeded;
        let outcome = Outcome {
            words: Some("Asked for a message by email"),
            ..Outcome::default()
        };
        let is_ours = attempts::settle(&mut tx, attempt, self.id, next, None, &outcome).await?;
        ensure!(is_ours, "an attempt was settled by somebody else");
        tx.commit().await?;
        Ok(())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a lease is believed by the clock of whoever claims"
)]
fn now() -> DateTime<Utc> {
    Utc::now()
}
