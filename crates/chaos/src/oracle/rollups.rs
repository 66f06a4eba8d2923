//! Analytics' sums are what counting anew finds.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use tokio::time::{Instant, sleep};
use tokio_postgres::Client;

use super::Violation;
use crate::ground::Ground;

/// How long the counts of a day counted anew may take to be added up.
const ADDED_UP_WITHIN: Duration = Duration::from_secs(30);

/// A sum's place, and the sum.
type Sums = BTreeMap<String, (i64, i64)>;

pub(super) async fn judge(ground: &Ground) -> anyhow::Result<Vec<Violation>> {
    let client = ground.servers.connect().await?;
    let before = sums(&client).await?;
    #[expect(
        clippy::disallowed_methods,
        reason = "a driver of tests has no clock of its own"
    )]
    let today = Utc::now().date_naive();
    let (from, to) = (today - TimeDelta::days(1), today);
    for organization in &ground.organizations {
        let (from, to) = (from.to_string(), to.to_string());
        let slug = organization.slug.as_str();
        let args = [
            "rebuild-rollups",
            "--organization",
            slug,
            "--from",
            &from,
            "--to",
            &to,
        ];
        ground.api(&args).await?;
    }
    let deadline = Instant::now() + ADDED_UP_WITHIN;
    while count(&client).await? > 0 && Instant::now() < deadline {
        sleep(Duration::from_millis(200)).await;
    }
    let after = sums(&client).await?;
    let places = before.keys().chain(after.keys());
    let differing = places.filter(|place| before.get(*place) != after.get(*place));
    Ok(differing
        .map(|place| {
            let what = format!(
                "{place}: {:?}, anew {:?}",
                before.get(place),
                after.get(place)
            );
            Violation::new("sums are what counting anew finds", what)
        })
        .collect())
}

async fn count(client: &Client) -> anyhow::Result<i64> {
    let row = client
        .query_one("SELECT count(*) FROM rollup_counts", &[])
        .await?;
    Ok(row.try_get(0)?)
}

async fn sums(client: &Client) -> anyhow::Result<Sums> {
    let rows = client
        .query(
            "SELECT concat_ws(' ', o.slug, dimension, span_minutes, bucket, currency, measure, key),
                    number, minor
             FROM rollups JOIN organizations o ON o.id = organization_id
             WHERE number <> 0 OR minor <> 0",
            &[],
        )
        .await?;
    let sum = |row: &tokio_postgres::Row| Ok((row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?)));
    rows.iter().map(sum).collect()
}
