//! Waiting until nothing is owed any more.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_postgres::Client;

use super::{CALM, Violation};
use crate::ground::Ground;

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What is still owed, by name.
type Owed = BTreeMap<&'static str, i64>;

/// What must come to nothing, and how it is counted. Dead letters are judged apart.
const OWED: [(&str, &str); 9] = [
    (
        "open recoveries",
        "SELECT count(*) FROM recoveries WHERE state = 'open'",
    ),
    (
        "attempts that wait or are under way",
        "SELECT count(*) FROM attempts WHERE state IN ('scheduled', 'claimed', 'in_doubt')",
    ),
    ("charges reserved", "SELECT count(*) FROM open_charges"),
    (
        "messages that wait or are being handed over",
        "SELECT count(*) FROM notifications WHERE state IN ('queued', 'handing_over')",
    ),
    (
        "outbox rows",
        "SELECT count(*) FROM outbox WHERE dead_at IS NULL",
    ),
    (
        "partner webhooks",
        "SELECT count(*) FROM partner_deliveries WHERE state IN ('pending', 'sending')",
    ),
    ("events for the sink", "SELECT count(*) FROM sink_events"),
    (
        "counts to be added up",
        "SELECT count(*) FROM rollup_counts",
    ),
    (
        "checkouts that can be paid",
        // One without a reference never reached its payer.
        "SELECT count(*) FROM checkouts WHERE state IN ('creating', 'open')
           OR (state = 'closed' AND reference IS NOT NULL AND gone_at_psp IS NULL)",
    ),
];

/// Partner webhooks wait for minutes after two failures, and an endpoint's breaker for half a
/// minute and more: what a clock that jumped would do is done to them.
const SOON: &str = "
    UPDATE partner_deliveries SET due_at = now() WHERE state = 'pending' AND due_at > now();
    UPDATE webhook_endpoints SET paused_until = NULL WHERE paused_until IS NOT NULL;";

/// Waits until nothing is owed; answers how long it took, and what is still owed after `patience`.
pub async fn settle(
    ground: &Ground,
    patience: Duration,
) -> anyhow::Result<(Duration, Vec<Violation>)> {
    let begun = Instant::now();
    let client = ground.servers.connect().await?;
    loop {
        client.batch_execute(SOON).await?;
        let owed = owed(ground, &client).await?;
        let waited = begun.elapsed();
        if owed.values().all(|count| *count == 0) {
            return Ok((waited, Vec::new()));
        }
        if waited > patience {
            let left = owed.into_iter().filter(|(_, count)| *count > 0);
            let left = left.map(|(name, count)| {
                let what = format!("{count} {name} after {} s of calm", waited.as_secs());
                Violation::new(CALM, what)
            });
            return Ok((waited, left.collect()));
        }
        sleep(LOOK_EVERY).await;
    }
}

/// What is owed now, in Postgres and in Redis.
async fn owed(ground: &Ground, client: &Client) -> anyhow::Result<Owed> {
    let mut owed = Owed::new();
    for (name, sql) in OWED {
        owed.insert(name, client.query_one(sql, &[]).await?.try_get(0)?);
    }
    owed.insert("stream entries", ground.servers.stream_entries().await?);
    Ok(owed)
}
