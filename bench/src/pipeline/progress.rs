//! Waiting for a backlog to get somewhere.

use std::time::Duration;

use super::backlog::Backlog;
use crate::database::SENT;
use crate::ground::Ground;

/// Between two counts, while they are cheap.
const POLL: Duration = Duration::from_millis(100);

/// Where a backlog is to get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// Each failure has a message that waits to be handed over.
    Queued,
    /// Each of these messages lies in Redis.
    InRedis,
    /// Each message was taken by the mail server, and Postgres knows.
    Sent,
}

impl Goal {
    const fn query(self) -> &'static str {
        match self {
            Self::Queued => "SELECT count(*) FROM notifications",
            Self::InRedis => {
                "SELECT count(*) FROM outbox WHERE published_at IS NOT NULL AND stream LIKE 'notifications:%'"
            }
            Self::Sent => SENT,
        }
    }
}

/// Resolves once all of `backlog` has reached the goal; fails when nothing moves any more, or when
/// more messages were made than there were failures.
pub(super) async fn reached(
    ground: &mut Ground,
    goal: Goal,
    backlog: &Backlog,
    services: &[&str],
) -> anyhow::Result<()> {
    let wanted = backlog.before() + backlog.size();
    match ground.database.until(goal.query(), wanted, POLL).await {
        Ok(()) => Ok(()),
        Err(stuck) => {
            let state = described(ground, services).await?;
            Err(stuck.context(format!("not all reached {goal:?}; {state}")))
        }
    }
}

/// What is where, and the last words of those who should move it.
async fn described(ground: &mut Ground, services: &[&str]) -> anyhow::Result<String> {
    let query = "
        SELECT 'recoveries ' || state || ': ' || count(*) FROM recoveries GROUP BY state
        UNION ALL SELECT 'attempts ' || kind || ' ' || state || ': ' || count(*) FROM attempts GROUP BY kind, state
        UNION ALL SELECT 'notifications ' || state || coalesce(' (' || error || ')', '') || ': ' || count(*)
                  FROM notifications GROUP BY state, error
        UNION ALL SELECT 'outbox ' || stream || ': ' || count(*) FROM outbox GROUP BY stream";
    let mut state = ground.database.texts(query).await?.join("; ");
    for service in services {
        let process = ground.stack.process(service)?;
        state = format!(
            "{state}\n{service}'s log ends with:\n{}",
            process.log_tail()
        );
    }
    Ok(state)
}
