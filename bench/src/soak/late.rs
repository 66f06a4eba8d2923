//! How late mails were, over the run.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::ground::Ground;
use crate::webhook::Webhooks;

/// How late the mails of a part of the run were: from when each webhook was to go out until
/// Postgres has its mail as taken by the mail server. In microseconds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Late {
    pub(super) p50: u64,
    pub(super) p99: u64,
    pub(super) p999: u64,
}

/// When webhooks were due.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) begun_at: DateTime<Utc>,
    pub(super) every: Duration,
    /// The number of the first.
    pub(super) first: u64,
    pub(super) count: u64,
}

/// Of each of `parts` of the run, as long as each other.
pub(super) async fn of_each(
    ground: &Ground,
    webhooks: &Webhooks,
    run: Run,
    parts: usize,
) -> anyhow::Result<Vec<Late>> {
    let prefix = webhooks.payers();
    // The number in the address says when its webhook was due.
    let quantiles = format!(
        "SELECT percentile_disc(ARRAY[0.5, 0.99, 0.999]) WITHIN GROUP (ORDER BY late)::text
         FROM (SELECT number, greatest(0, (extract(epoch FROM sent_at - '{begun}'::timestamptz) * 1000000)::bigint
                                          - number * {every}) AS late
               FROM (SELECT sent_at, ('x' || substr(address, {after}, 10))::bit(40)::bigint - {first} AS number
                     FROM notifications WHERE address LIKE '{prefix}%') AS mails
               WHERE number >= 0) AS its_mails
         GROUP BY number * {parts} / {count} ORDER BY number * {parts} / {count}",
        begun = run.begun_at.to_rfc3339(),
        every = run.every.as_micros(),
        first = run.first,
        count = run.count,
        after = prefix.len() + 1,
    );
    let rows = ground.database.texts(&quantiles).await?;
    rows.iter().map(|row| read(row)).collect()
}

/// `{1,2,3}`.
fn read(row: &str) -> anyhow::Result<Late> {
    let numbers: Vec<u64> = row
        .trim_matches(['{', '}'])
        .split(',')
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    let at = |place: usize| numbers.get(place).copied().unwrap_or_default();
    Ok(Late {
        p50: at(0),
        p99: at(1),
        p999: at(2),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_read_as_postgres_writes_them() {
        let late = read("{120,4500,90000}").unwrap();
        assert_eq!((late.p50, late.p99, late.p999), (120, 4_500, 90_000));
        assert!(read("{a}").is_err());
    }
}
